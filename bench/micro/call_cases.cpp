// What laio_syscall() adds to a call over syscall(2): to one that it makes in place because it cannot block, and to one
// that it makes in place although it may (an activation). The last of these, stat(2), is made by others as well.
#include "cases.hpp"
#include "common/activation_presence.hpp"
#include "common/failure.hpp"
#include "laio_way.hpp"
#include "stat_peers.hpp"
#include "with_way.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

namespace laio::bench {
namespace {

enum class call { getppid, getfl, sync_nothing, stat };

struct target {
    std::string path;
    int fd;
    long getppid_result;
    long getfl_result;
};

constexpr bool is_activation(call what) { return what == call::sync_nothing || what == call::stat; }

// Makes the call by `syscall_like`. False: with a wrong result, for the caller to look at.
template <call what, typename function_type>
long made_by(function_type syscall_like, const target &where, struct stat &status) {
    if constexpr (what == call::getppid) return syscall_like(SYS_getppid);
    else if constexpr (what == call::getfl) return syscall_like(SYS_fcntl, where.fd, F_GETFL);
    else if constexpr (what == call::sync_nothing) return syscall_like(SYS_msync, nullptr, 0L, MS_ASYNC);
    else return syscall_like(SYS_newfstatat, AT_FDCWD, where.path.c_str(), &status, 0);
}

template <call what> bool is_right(long result, const target &where, const struct stat &status) {
    if constexpr (what == call::getppid) return result == where.getppid_result;
    else if constexpr (what == call::getfl) return result == where.getfl_result;
    else if constexpr (what == call::sync_nothing) return result == 0;
    else return result == 0 && S_ISDIR(status.st_mode);
}

template <call what, typename way_type> class plain_call : public subject {
public:
    explicit plain_call(way which, target where) : way_(which), target_(std::move(where)) {}
    void open() override { way_.open(target_.fd); }
    void prepare(std::size_t /*operations*/) override {}
    void close() override { way_.close(); }

    void run(std::size_t operations) override {
        struct stat status;
        for (std::size_t i = 0; i < operations; ++i) {
            status.st_mode = 0;
            const long result = made_by<what>([](auto... words) { return ::syscall(words...); }, target_, status);
            if (!is_right<what>(result, target_, status)) [[unlikely]]
                fail("a call gave a wrong result: {}", result);
        }
    }

private:
    way_type way_;
    target target_;
};

template <call what> class laio_call_subject : public subject {
public:
    laio_call_subject(way which, target where, promises &seen)
        : way_(which), which_(which), target_(std::move(where)), seen_(seen) {}

    void open() override {
        calls_ = 0;
        waits_ = 0;
        way_.open();
        if constexpr (is_activation(what)) is_promised_ = why_no_activations().empty();
    }

    void prepare(std::size_t /*operations*/) override {}

    void close() override {
        way_.close();
        if (is_promised_) count_ready(seen_, name_of(which_).key, calls_, waits_, 0);
    }

    void run(std::size_t operations) override {
        struct stat status;
        for (std::size_t i = 0; i < operations; ++i) {
            status.st_mode = 0;
            long result = made_by<what>([](auto... words) { return laio_syscall(words...); }, target_, status);
            if (result == -1 && errno == EINPROGRESS) [[unlikely]] {
                ++waits_;
                result = way_.poll_one(laio_gethandle());
            }
            if (!is_right<what>(result, target_, status)) [[unlikely]]
                fail("a call through LAIO gave a wrong result: {}", result);
        }
        calls_ += operations;
    }

private:
    laio_way way_;
    way which_;
    target target_;
    promises &seen_;
    bool is_promised_ = true; // without activations a call that may block goes to a carrier
    std::uint64_t calls_ = 0;
    std::uint64_t waits_ = 0;
};

template <call what> bench_case call_case(std::string key, std::string title, const target &where, promises &seen) {
    bench_case made;
    made.key = std::move(key);
    made.title = std::move(title);
    made.table = table::calls;
    made.ways = {way::plain, way::laio};
    if (is_activation(what))
        made.ways = {way::plain, way::plain_threads, way::laio, way::laio_signals_blocked, way::laio_carriers};
    made.make = [where, &seen](way which) -> std::unique_ptr<subject> {
        if (which == way::plain) return std::make_unique<plain_call<what, plain_way>>(which, where);
        if (which == way::plain_threads) return std::make_unique<plain_call<what, plain_threads_way>>(which, where);
        if (is_laio(which)) return std::make_unique<laio_call_subject<what>>(which, where, seen);
        return make_stat_peer(which, where.path);
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
    cases.push_back(call_case<call::sync_nothing>("msync", "msync of nothing: may block for us", where, seen));
    cases.push_back(call_case<call::stat>("stat", "stat of a cached name", where, seen));
    for (const way each : {way::liburing, way::thread_pool, way::libuv}) cases.back().ways.push_back(each);
    return cases;
}

} // namespace laio::bench
