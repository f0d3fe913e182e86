// The access log. append() formats a line into a ring of fixed size, on the thread of the loop: it never waits, and makes no
// system call but for one futex wake (which does not wait either) when a block has filled. A writer thread of its own
// empties the ring into the file: when a block is full, once a second, and at the end. When the file does not keep pace
// and the ring is full, lines are dropped, whole, and counted. What could not be written stays and is tried again a second
// later. The writer owns the ring and the file, shared with this object: a write that never returns (a dead disk) keeps them.
// Sending lines to the file through LAIO lost: the versions without LAIO would each need another log.
#pragma once

#include "http/log_line.hpp"

#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <thread>

namespace httpd {

class access_log {
public:
    static constexpr std::size_t block_bytes = 65536;

    // Appends to the file `path`, made if need be; "-" is standard output. Throws std::system_error.
    explicit access_log(const std::string &path, std::size_t buffer_bytes = 16 * block_bytes);
    access_log(const access_log &) = delete;
    access_log &operator=(const access_log &) = delete;
    ~access_log(); // finish(), with a limit of some seconds; then the writer is on its own

    // The loop's thread. `now` is when the response ended.
    void append(const log_entry &entry, std::time_t now);

    // The file was renamed (log rotation): what was appended so far goes to it, what comes to a new one. Does not wait. If
    // the new one cannot be opened the old one is kept, and standard error is told.
    void reopen();

    // Writes what is there and ends the writer; append() no more. False: it takes longer than `limit`, and goes on.
    bool finish(std::chrono::milliseconds limit);

    std::uint64_t dropped() const; // lines
    std::uint64_t errors() const;  // writes that failed; the first one is told on standard error

private:
    struct writer;

    void keep_time(std::time_t now);

    std::shared_ptr<writer> writer_;
    std::thread thread_;
    std::time_t dated_ = -1; // date_ is of this second
    std::string date_;
};

} // namespace httpd
