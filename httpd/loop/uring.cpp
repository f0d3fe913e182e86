#include "loop/uring.hpp"

#include "loop/multiplexer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <system_error>

namespace httpd {
namespace {

constexpr unsigned submission_entries = 1024;
constexpr unsigned completion_entries = 8192;
constexpr std::uint64_t nobody = 0; // the tag of requests to cancel, whose own result says nothing
constexpr std::uint64_t which_mask = alignof(uring_client) - 1;
constexpr std::int64_t end_timeout_ns = 1'000'000'000;

[[noreturn]] void fail(int error, const std::string &what) {
    throw std::system_error(error, std::generic_category(), what);
}

// The best that the kernel has: 6.1 and later, 5.19, any.
int set_up(io_uring &ring) {
    constexpr unsigned queues = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_SUBMIT_ALL;
    constexpr std::array flags{
        queues | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
        queues | IORING_SETUP_COOP_TASKRUN,
        static_cast<unsigned>(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP),
    };
    int result = -EINVAL;
    for (std::size_t i = 0; i < flags.size() && result == -EINVAL; ++i) {
        io_uring_params parameters{};
        parameters.flags = flags[i];
        parameters.cq_entries = completion_entries;
        result = io_uring_queue_init_params(submission_entries, &ring, &parameters);
    }
    return result;
}

// A signal; no memory for now; an older kernel wants completions taken first. What was not submitted stays in the queue.
bool is_passing(int error) { return error == -EINTR || error == -EAGAIN || error == -EBUSY; }

__kernel_timespec timespec_of(std::int64_t duration_ns) {
    return {.tv_sec = duration_ns / 1'000'000'000, .tv_nsec = duration_ns % 1'000'000'000};
}

} // namespace

uring::uring(unsigned workers) {
    if (const int result = set_up(ring_); result < 0)
        fail(-result, "this version needs io_uring, which is not there or not allowed");
    if ((ring_.features & IORING_FEAT_EXT_ARG) == 0) {
        io_uring_queue_exit(&ring_);
        fail(ENOSYS, "this version needs the io_uring of Linux 5.11 or later");
    }
    // Without these it works, too: slower, or with fewer workers at once.
    io_uring_register_ring_fd(&ring_);
    std::array<unsigned, 2> most_workers{workers, 0};
    io_uring_register_iowq_max_workers(&ring_, most_workers.data());
}

uring::~uring() {
    if (end()) io_uring_queue_exit(&ring_);
}

io_uring_sqe &uring::next() {
    io_uring_sqe *entry = io_uring_get_sqe(&ring_);
    if (entry != nullptr) return *entry;
    submit();
    entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) fail(EBUSY, "io_uring takes no requests");
    return *entry;
}

void uring::keep_together(unsigned requests) {
    if (io_uring_sq_space_left(&ring_) < requests) submit();
}

void uring::cancel(uring_client &whose, unsigned which) {
    io_uring_sqe &entry = next();
    io_uring_prep_cancel64(&entry, tag_of(whose, which), 0);
    entry.user_data = nobody;
    ++under_way_;
}

void uring::submit() {
    const int result = io_uring_submit(&ring_);
    if (result < 0 && !is_passing(result)) fail(-result, "io_uring_submit");
}

void uring::submit_and_wait(std::int64_t timeout_ns) {
    int result = 0;
    if (timeout_ns == 0) {
        result = io_uring_submit_and_get_events(&ring_);
    } else {
        auto timeout = timespec_of(timeout_ns);
        io_uring_cqe *first = nullptr;
        result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, timeout_ns < 0 ? nullptr : &timeout, nullptr);
    }
    if (result < 0 && result != -ETIME && !is_passing(result)) fail(-result, "io_uring_enter");
}

void uring::tell() {
    for (unsigned left = io_uring_cq_ready(&ring_); left > 0; --left) {
        io_uring_cqe *entry = nullptr;
        if (io_uring_peek_cqe(&ring_, &entry) != 0) return;
        const auto tag = entry->user_data;
        const int result = entry->res;
        io_uring_cqe_seen(&ring_, entry); // whoever is told may submit: there is room for its completions
        --under_way_;
        if (tag == nobody) continue;
        auto *whose = reinterpret_cast<uring_client *>(tag & ~which_mask); // NOLINT(performance-no-int-to-ptr)
        whose->completed(static_cast<unsigned>(tag & which_mask), result);
    }
}

bool uring::end() {
    try {
        if (!gave_up_) cancel_all_and_wait();
    } catch (const std::system_error &) { gave_up_ = true; }
    return !gave_up_;
}

void uring::cancel_all_and_wait() {
    const auto give_up_ns = monotonic_ns() + end_timeout_ns;
    if (under_way_ > 0) {
        io_uring_sqe &entry = next();
        io_uring_prep_cancel64(&entry, nobody, IORING_ASYNC_CANCEL_ANY);
        entry.user_data = nobody;
        ++under_way_;
    }
    while (under_way_ > 0 && !gave_up_) {
        const auto left_ns = give_up_ns - monotonic_ns();
        gave_up_ = left_ns <= 0;
        submit_and_wait(std::max<std::int64_t>(left_ns, 0));
        const unsigned ended = io_uring_cq_ready(&ring_);
        io_uring_cq_advance(&ring_, ended);
        under_way_ -= ended;
    }
}

void uring::signal_by(int eventfd) {
    if (const int result = io_uring_register_eventfd(&ring_, eventfd); result < 0)
        fail(-result, "io_uring_register_eventfd");
}

} // namespace httpd
