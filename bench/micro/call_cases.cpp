// What laio_syscall() adds to a call that it makes in place, over syscall(2), and what a call costs that has no
// non-blocking form and therefore goes to another thread.
#include "cases.hpp"
#include "common/failure.hpp"
#include "laio_way.hpp"
#include "liburing_way.hpp"

#include <laio/laio.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

enum class call { getppid, getfl, stat };

struct target {
    std::string path;
    int fd;
    long getppid_result;
    long getfl_result;
};

// The four ways of one call need no channel and no buffer: each is a subject of its own kind.
template <call what> class plain_call : public subject {
public:
    explicit plain_call(target where) : target_(std::move(where)) {}
    void open() override {}
    void prepare(std::size_t /*operations*/) override {}
    void close() override {}

    void run(std::size_t operations) override {
        struct stat status;
        for (std::size_t i = 0; i < operations; ++i) {
            if constexpr (what == call::getppid) {
                if (::syscall(SYS_getppid) != target_.getppid_result) [[unlikely]]
                    fail("getppid gave a wrong result");
            } else if constexpr (what == call::getfl) {
                if (::syscall(SYS_fcntl, target_.fd, F_GETFL) != target_.getfl_result) [[unlikely]]
                    fail("fcntl F_GETFL gave a wrong result");
            } else {
                status.st_mode = 0;
                if (::syscall(SYS_newfstatat, AT_FDCWD, target_.path.c_str(), &status, 0) != 0 ||
                    !S_ISDIR(status.st_mode)) [[unlikely]]
                    fail("stat gave a wrong result");
            }
        }
    }

private:
    target target_;
};

template <call what> class laio_call_subject : public subject {
public:
    laio_call_subject(way which, target where, promises &seen)
        : way_(which), which_(which), target_(std::move(where)), seen_(seen) {}
    void open() override {
        calls_ = 0;
        way_.open();
    }
    void prepare(std::size_t /*operations*/) override {}

    void close() override {
        way_.close();
        if constexpr (what != call::stat) // whether a stat waits is not known beforehand
            count_ready(seen_, name_of(which_).key, calls_, 0, 0);
    }

    void run(std::size_t operations) override {
        struct stat status;
        for (std::size_t i = 0; i < operations; ++i) {
            if constexpr (what == call::getppid) {
                if (laio_syscall(SYS_getppid) != target_.getppid_result) [[unlikely]]
                    fail("getppid through LAIO gave a wrong result or went to the background");
            } else if constexpr (what == call::getfl) {
                if (laio_syscall(SYS_fcntl, target_.fd, F_GETFL) != target_.getfl_result) [[unlikely]]
                    fail("fcntl F_GETFL through LAIO gave a wrong result or went to the background");
            } else {
                status.st_mode = 0;
                long result = laio_syscall(SYS_newfstatat, AT_FDCWD, target_.path.c_str(), &status, 0);
                if (result == -1 && errno == EINPROGRESS) result = way_.poll_one(laio_gethandle());
                if (result != 0 || !S_ISDIR(status.st_mode)) [[unlikely]]
                    fail("stat through LAIO gave a wrong result");
            }
        }
        calls_ += operations;
    }

private:
    laio_way way_;
    way which_;
    target target_;
    promises &seen_;
    std::uint64_t calls_ = 0;
};

class liburing_stat : public subject {
public:
    explicit liburing_stat(target where) : way_(way::liburing), target_(std::move(where)) {}
    void open() override { way_.open(); }
    void prepare(std::size_t /*operations*/) override {}
    void close() override { way_.close(); }

    void run(std::size_t operations) override {
        struct statx status {};
        for (std::size_t i = 0; i < operations; ++i) {
            status.stx_mode = 0;
            io_uring_sqe *entry = io_uring_get_sqe(way_.ring());
            if (entry == nullptr) [[unlikely]]
                fail("io_uring_get_sqe: the submission queue is full");
            io_uring_prep_statx(entry, AT_FDCWD, target_.path.c_str(), 0, STATX_BASIC_STATS, &status);
            io_uring_sqe_set_data(entry, &way_);
            liburing_way::check(io_uring_submit_and_wait(way_.ring(), 1), "io_uring_submit_and_wait");
            if (way_.take() != 0 || !S_ISDIR(status.stx_mode)) [[unlikely]]
                fail("statx through io_uring gave a wrong result");
        }
    }

private:
    liburing_way way_;
    target target_;
};

template <call what> bench_case call_case(std::string key, std::string title, const target &where, promises &seen) {
    bench_case made;
    made.key = std::move(key);
    made.title = std::move(title);
    made.ways = {way::plain, way::laio};
    made.make = [where, &seen](way which) -> std::unique_ptr<subject> {
        if constexpr (what == call::stat)
            if (which == way::liburing) return std::make_unique<liburing_stat>(where);
        if (which == way::plain) return std::make_unique<plain_call<what>>(where);
        return std::make_unique<laio_call_subject<what>>(which, where, seen);
    };
    return made;
}

} // namespace

std::vector<bench_case> call_cases(const std::string &path, promises &seen) {
    const target where{.path = path,
                       .fd = STDERR_FILENO,
                       .getppid_result = ::syscall(SYS_getppid),
                       .getfl_result = must(::syscall(SYS_fcntl, STDERR_FILENO, F_GETFL), "fcntl")};
    std::vector<bench_case> cases;
    cases.push_back(call_case<call::getppid>("getppid", "getppid", where, seen));
    cases.push_back(call_case<call::getfl>("fcntl", "fcntl F_GETFL", where, seen));
    cases.push_back(call_case<call::stat>("stat", "stat", where, seen));
    cases.back().ways.push_back(way::liburing);
    cases.back().waits = true;
    return cases;
}

} // namespace laio::bench
