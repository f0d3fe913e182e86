// See stat_peers.hpp.
#include "stat_peers.hpp"

#include "common/failure.hpp"
#include "liburing_way.hpp"

#if LAIO_BENCH_HAS_LIBUV
#include <uv.h>
#endif

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <utility>

namespace laio::bench {
namespace {

class liburing_stat : public subject {
public:
    explicit liburing_stat(std::string path) : way_(way::liburing), path_(std::move(path)) {}
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
            io_uring_prep_statx(entry, AT_FDCWD, path_.c_str(), 0, STATX_BASIC_STATS, &status);
            io_uring_sqe_set_data(entry, &way_);
            liburing_way::check(io_uring_submit_and_wait(way_.ring(), 1), "io_uring_submit_and_wait");
            if (way_.take() != 0 || !S_ISDIR(status.stx_mode)) [[unlikely]]
                fail("statx through io_uring gave a wrong result");
        }
    }

private:
    liburing_way way_;
    std::string path_;
};

// A word that one thread waits for and another one sets. Without spinning: both are on one CPU.
class signal_word {
public:
    void set(int value) {
        word_.store(value, std::memory_order_release);
        ::syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1);
    }

    // Until the word is not `value`: what it is then.
    int wait_while(int value) {
        int seen = 0;
        while ((seen = word_.load(std::memory_order_acquire)) == value)
            ::syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, value, nullptr);
        return seen;
    }

    void reset(int value) { word_.store(value, std::memory_order_relaxed); }

private:
    std::atomic<int> word_{0};
};

// The least that a hand-off costs: one job at a time, so no queue and no lock, and the caller sleeps on a futex. An
// event loop would wait in epoll for an eventfd as well, which is two system calls more.
class pooled_stat : public subject {
public:
    explicit pooled_stat(std::string path) : path_(std::move(path)) {}

    void open() override {
        state_.reset(idle);
        const auto run_worker = [](void *of) -> void * {
            static_cast<pooled_stat *>(of)->work();
            return nullptr;
        };
        if (const int error = ::pthread_create(&worker_, nullptr, run_worker, this); error != 0)
            fail("pthread_create: {}", error_text(error));
    }

    void prepare(std::size_t /*operations*/) override {}

    void close() override {
        state_.set(stop);
        ::pthread_join(worker_, nullptr);
    }

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            status_.st_mode = 0;
            state_.set(asked);
            state_.wait_while(asked);
            if (result_ != 0 || !S_ISDIR(status_.st_mode)) [[unlikely]]
                fail("stat by a pool of one thread gave a wrong result");
        }
    }

private:
    enum : int { idle, asked, answered, stop };

    void work() {
        int seen = state_.wait_while(idle);
        while (seen != stop) {
            result_ = ::syscall(SYS_newfstatat, AT_FDCWD, path_.c_str(), &status_, 0);
            state_.set(answered);
            seen = state_.wait_while(answered);
        }
    }

    std::string path_;
    pthread_t worker_{};
    signal_word state_;
    struct stat status_ {};
    long result_ = 0;
};

#if LAIO_BENCH_HAS_LIBUV

// A loop that runs until the one request is complete, as its own does.
class libuv_stat : public subject {
public:
    explicit libuv_stat(std::string path) : path_(std::move(path)) {}
    void open() override { check(::uv_loop_init(&loop_), "uv_loop_init"); }
    void prepare(std::size_t /*operations*/) override {}
    void close() override { check(::uv_loop_close(&loop_), "uv_loop_close"); }

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            bool is_done = false;
            request_.data = &is_done;
            check(::uv_fs_stat(&loop_, &request_, path_.c_str(),
                               [](uv_fs_t *of) { *static_cast<bool *>(of->data) = true; }),
                  "uv_fs_stat");
            while (!is_done) ::uv_run(&loop_, UV_RUN_ONCE);
            if (request_.result != 0 || !S_ISDIR(request_.statbuf.st_mode)) [[unlikely]]
                fail("uv_fs_stat gave a wrong result");
            ::uv_fs_req_cleanup(&request_);
        }
    }

private:
    static void check(int result, const char *what) {
        if (result < 0) fail("{}: {}", what, ::uv_strerror(result));
    }

    std::string path_;
    uv_loop_t loop_{};
    uv_fs_t request_{};
};

#endif

} // namespace

std::unique_ptr<subject> make_stat_peer(way which, const std::string &path) {
    if (which == way::liburing) return std::make_unique<liburing_stat>(path);
    if (which == way::thread_pool) return std::make_unique<pooled_stat>(path);
#if LAIO_BENCH_HAS_LIBUV
    if (which == way::libuv) return std::make_unique<libuv_stat>(path);
#endif
    fail("{} makes no stat here", name_of(which).key);
}

#if LAIO_BENCH_HAS_LIBUV
std::string why_no_libuv() { return ""; }
std::string libuv_version() { return ::uv_version_string(); }
#else
std::string why_no_libuv() { return "no libuv: built without it"; }
std::string libuv_version() { return "none"; }
#endif

} // namespace laio::bench
