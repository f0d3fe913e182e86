// The tree as the kernel's FUSE sees it: each request gets what it is going to be answered with and a ticket of the timetable,
// and is answered when that says so. Read-only, and nothing changes, so the kernel may keep all that it was told, and
// nothing has to be remembered of what it knows: forgetting is free, interruptions are not heeded.
// One thread. Requests under way are in a pool that grows to the most there have been; the kernel bounds these. Bytes are
// made when they are sent, into one buffer.
#pragma once

#include "source.hpp"
#include "statistics.hpp"
#include "timetable.hpp"
#include "tree/tree.hpp"

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <optional>
#include <vector>

namespace slowfs {

struct kernel_options {
    double keep_s = 1e6;            // names and attributes, in the kernel
    unsigned background_max = 4096; // reads ahead and direct ones under way, at most
    unsigned read_max = 0;          // bytes of a request; 0: as the kernel likes. The mount must be told the same
};

class file_system {
public:
    file_system(const tree &files, source &bytes, const cost_table &costs, disk &below, const disk_clock &clock,
                const kernel_options &options);

    // For fuse_session_new(), with this object as the user's data.
    static const fuse_lowlevel_ops &callbacks();

    [[nodiscard]] bool is_initialised() const { return is_initialised_; }
    void answer_due() { answer_due(clock_.now()); }
    // In real time from now on; nothing: nobody waits.
    [[nodiscard]] std::optional<nanoseconds> next_answer();
    // At the end: with an error.
    void answer_all();

    [[nodiscard]] std::string report(const report_context &about) const {
        return slowfs::report(about, statistics_, timetable_, disk_, clock_);
    }

private:
    struct request {
        fuse_req_t caller = nullptr; // null: the slot is free
        operation what = operation::lookup;
        bool with_attributes = false; // readdir
        node_number node = no_node;   // lookup: what was found
        std::uint64_t offset = 0;
        std::uint32_t bytes = 0;
        int handle = 0; // the source's
        nanoseconds begun{0};
    };
    struct callback;

    void initialise(fuse_conn_info &connection);
    void on_inode(fuse_req_t caller, operation what, node_number node);
    void look_up(fuse_req_t caller, node_number folder, std::string_view name);
    void read(fuse_req_t caller, node_number file, std::size_t bytes, off_t offset);
    void read_folder(fuse_req_t caller, node_number folder, std::size_t bytes, off_t offset, bool with_attributes);
    void open(fuse_req_t caller, operation what, node_number node, bool kernel_can_do_it);
    void begin(const request &one, work what);

    void answer_due(nanoseconds now);
    void answer(const request &one);
    void answer_look_up(const request &one) const;
    int answer_read(const request &one); // the error, or 0 if it has answered
    void answer_read_folder(const request &one);
    void answer_space(fuse_req_t caller) const;
    [[nodiscard]] struct stat status_of(node_number number) const;
    [[nodiscard]] fuse_entry_param entry_of(node_number number) const;

    const tree &files_;
    source &source_;
    cost_table costs_;
    disk &disk_;
    const disk_clock &clock_;
    kernel_options options_;
    timetable timetable_;
    statistics statistics_;
    std::vector<request> requests_; // by ticket
    std::vector<std::uint32_t> free_;
    std::vector<std::byte> buffer_;
    bool is_initialised_ = false;
    bool kernel_opens_files_ = false;
    bool kernel_opens_folders_ = false;
};

} // namespace slowfs
