// Files whose every operation takes as long as the test tells: a FUSE file system, served by a process of its own
// (server.cpp). Nothing is cached, so each call arrives at the server.
//
// To be made before anything that may hang, and ended after it: the destructor lets all calls go, ends the server and
// unmounts. Where this user may not mount, is_there() is false and why_not() is the reason.
#pragma once

#include "control.hpp"
#include "resources.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>

namespace laio::test {

class slow_files {
public:
    slow_files();
    ~slow_files();
    slow_files(const slow_files &) = delete;
    slow_files &operator=(const slow_files &) = delete;

    [[nodiscard]] bool is_there() const { return why_not_.empty(); }
    [[nodiscard]] const std::string &why_not() const { return why_not_; }
    [[nodiscard]] std::string path(std::string_view name) const { return mount_point_.path(name); }

    void take(file_operation what, std::uint32_t ms) { control_->takes_ms.at(index_of(what)).store(ms); }
    [[nodiscard]] std::uint32_t calls(file_operation what) const { return control_->calls.at(index_of(what)).load(); }
    [[nodiscard]] std::uint32_t waiting() const { return control_->waiting.load(); }
    [[nodiscard]] std::uint32_t interrupted() const { return control_->interrupted.load(); }

    // No call is answered. One whose caller is interrupted is given up, unless the server is deaf.
    void freeze(bool is_deaf = false);
    void stop();    // the whole process: not even what arrives is read
    void release(); // all calls go on, and take no time any more
    void kill();

private:
    std::string start();

    directory folder_;      // what is served
    directory mount_point_; // where
    control *control_ = nullptr;
    descriptor leash_;
    pid_t keeper_ = -1;
    std::string why_not_;
};

} // namespace laio::test
