#include "access_log.hpp"

#include "byte_ring.hpp"
#include "http/date.hpp"
#include "signals_blocked.hpp"

#include <linux/futex.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <future>
#include <system_error>
#include <utility>

namespace httpd {
namespace {

constexpr std::chrono::seconds end_limit{5};
constexpr int patience_ms = 1000; // with a pipe that nobody reads

// Non-blocking, so that a FIFO without a reader is an error, and one that is full can be left for later.
int open_log(const std::string &path) {
    if (path == "-") return STDOUT_FILENO;
    return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
}

// What the writer sleeps on. Whoever rings never waits; a ring between seen() and wait() is not lost.
class bell {
public:
    std::uint32_t seen() const { return rings_.load(std::memory_order_acquire); }

    void ring() {
        rings_.fetch_add(1, std::memory_order_release);
        call(FUTEX_WAKE_PRIVATE, 1, nullptr);
    }

    void wait(std::uint32_t seen) {
        const timespec a_second{.tv_sec = 1, .tv_nsec = 0};
        call(FUTEX_WAIT_PRIVATE, seen, &a_second);
    }

private:
    void call(int operation, std::uint32_t value, const timespec *limit) {
        static_assert(sizeof rings_ == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);
        ::syscall(SYS_futex, &rings_, operation, value, limit, nullptr, 0);
    }

    std::atomic<std::uint32_t> rings_{0};
};

} // namespace

struct access_log::writer {
    writer(std::string where, std::size_t buffer_bytes) : path(std::move(where)), lines(buffer_bytes) {
        file = open_log(path);
        if (file < 0) throw std::system_error(errno, std::generic_category(), "cannot open the access log " + path);
    }
    writer(const writer &) = delete;
    writer &operator=(const writer &) = delete;
    ~writer() { close_file(); }

    void run();
    void write_lines();
    bool write_some(std::span<const char> bytes);
    void reopen_file();
    void drop_rest();
    void close_file() const {
        if (file != STDOUT_FILENO) ::close(file);
    }

    const std::string path;
    int file = -1;
    bool error_told = false;
    byte_ring lines;
    const std::size_t block = std::min(block_bytes, lines.capacity() / 2); // so that a full ring has rung
    bell wake;
    std::atomic<bool> reopening{false};
    std::atomic<bool> ending{false};
    std::atomic<std::uint64_t> dropped{0};
    std::atomic<std::uint64_t> errors{0};
    std::promise<void> ended;
    std::future<void> end = ended.get_future();
};

// ---- The writer's thread --------------------------------------------------------------------------------------------

void access_log::writer::run() {
    for (bool last = false; !last;) {
        // In this order: what was appended before somebody asked for something is seen as well.
        const auto rings = wake.seen();
        last = ending.load(std::memory_order_acquire);
        const bool new_file = reopening.exchange(false, std::memory_order_acq_rel);
        write_lines();
        if (new_file) {
            reopen_file();
            write_lines(); // what the old one did not take
        }
        if (!last) wake.wait(rings);
    }
    drop_rest();
}

void access_log::writer::write_lines() {
    for (auto bytes = lines.front(); !bytes.empty(); bytes = lines.front()) {
        if (!write_some(bytes)) return;
    }
}

bool access_log::writer::write_some(std::span<const char> bytes) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written > 0) {
        lines.pop(static_cast<std::size_t>(written));
        return true;
    }
    const int error = written < 0 ? errno : EIO;
    if (error == EINTR) return true;
    if (error == EAGAIN) { // a pipe
        pollfd full{.fd = file, .events = POLLOUT, .revents = 0};
        return ::poll(&full, 1, patience_ms) > 0;
    }
    ++errors;
    if (!error_told) std::fprintf(stderr, "laio-httpd: access log %s: %s\n", path.c_str(), std::strerror(error));
    error_told = true;
    return false;
}

void access_log::writer::reopen_file() {
    const int opened = open_log(path);
    if (opened < 0) {
        std::fprintf(stderr, "laio-httpd: access log %s: not reopened: %s\n", path.c_str(), std::strerror(errno));
        return;
    }
    close_file();
    file = opened;
    error_told = false;
}

// At the end, what the file did not take.
void access_log::writer::drop_rest() {
    for (auto bytes = lines.front(); !bytes.empty(); bytes = lines.front()) {
        dropped += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
        lines.pop(bytes.size());
    }
}

// ---- The loop's thread ----------------------------------------------------------------------------------------------

access_log::access_log(const std::string &path, std::size_t buffer_bytes)
    : writer_(std::make_shared<writer>(path, std::max(buffer_bytes, log_line_max))) {
    ::tzset(); // reads the time zone's file now, so that localtime_r() will not
    const signals_blocked none_for_the_writer;
    thread_ = std::thread([mine = writer_] {
        mine->run();
        mine->ended.set_value();
    });
}

access_log::~access_log() {
    if (!finish(end_limit)) thread_.detach();
}

void access_log::append(const log_entry &entry, std::time_t now) {
    if (now != dated_) keep_time(now);
    std::array<char, log_line_max> room; // NOLINT(cppcoreguidelines-pro-type-member-init): 7 KB, of which few are used
    const auto line = format_log_line(entry, date_, room);
    const auto before = writer_->lines.pushed();
    if (!writer_->lines.push(line)) writer_->dropped.fetch_add(1, std::memory_order_relaxed);
    if (before / writer_->block != writer_->lines.pushed() / writer_->block) writer_->wake.ring();
}

void access_log::keep_time(std::time_t now) {
    tm here{};
    localtime_r(&now, &here);
    date_ = log_date(now, here.tm_gmtoff);
    dated_ = now;
}

void access_log::reopen() {
    writer_->reopening.store(true, std::memory_order_release);
    writer_->wake.ring();
}

bool access_log::finish(std::chrono::milliseconds limit) {
    writer_->ending.store(true, std::memory_order_release);
    writer_->wake.ring();
    if (writer_->end.wait_for(limit) != std::future_status::ready) return false;
    if (thread_.joinable()) thread_.join();
    return true;
}

std::uint64_t access_log::dropped() const { return writer_->dropped.load(std::memory_order_relaxed); }
std::uint64_t access_log::errors() const { return writer_->errors.load(std::memory_order_relaxed); }

} // namespace httpd
