#include "engines/ring.hpp"

#include <cerrno>

#if LAIO_HAS_URING

#include "calls/transfer.hpp"
#include "kernel/system_call.hpp"

#include <csignal>
#include <cstdlib>
#include <liburing.h>

namespace laio {

// What the kernel is asked to do for a call.
enum class ring_request : std::uint8_t {
    none,
    read,
    readv,
    write,
    writev,
    recv,
    recvmsg,
    send,
    sendmsg,
    accept,
    connect
};

namespace {

constexpr int opcodes[] = {-1,
                           IORING_OP_READ,
                           IORING_OP_READV,
                           IORING_OP_WRITE,
                           IORING_OP_WRITEV,
                           IORING_OP_RECV,
                           IORING_OP_RECVMSG,
                           IORING_OP_SEND,
                           IORING_OP_SENDMSG,
                           IORING_OP_ACCEPT,
                           IORING_OP_CONNECT};
constexpr unsigned request_count = sizeof opcodes / sizeof *opcodes;

ring_request request_for(const operation &op) {
    const auto &a = op.made.a;
    const bool copied = op.vector != nullptr;
    switch (op.what->ring) {
    case ring_operation::read:
        if (op.what->attempt != form::read) return ring_request::none;
        if (is_vector_call(op)) return copied ? ring_request::readv : ring_request::none;
        return ring_request::read;
    case ring_operation::write:
        if (op.what->attempt != form::write) return ring_request::none;
        if (is_vector_call(op)) return copied ? ring_request::writev : ring_request::none;
        return ring_request::write;
    case ring_operation::receive:
        if (is_header_call(op)) return copied ? ring_request::recvmsg : ring_request::none;
        return a[4] == 0 ? ring_request::recv : ring_request::none; // it has no place for an address
    case ring_operation::send:
        if (is_header_call(op)) return copied ? ring_request::sendmsg : ring_request::none;
        return a[4] == 0 ? ring_request::send : ring_request::none;
    case ring_operation::accept: return ring_request::accept;
    case ring_operation::connect: return ring_request::connect;
    default: return ring_request::none;
    }
}

void fill_entry(io_uring_sqe *sqe, operation &op, ring_request wanted) {
    const auto &a = op.made.a;
    const int descriptor = static_cast<int>(a[0]);
    iovec single{};
    switch (wanted) {
    case ring_request::read:
    case ring_request::readv:
    case ring_request::write:
    case ring_request::writev: {
        const transfer rest = rest_of(op, single);
        const bool vector = rest.vector != &single;
        const bool reads = op.what->ring == ring_operation::read;
        io_uring_prep_rw(
            reads ? (vector ? IORING_OP_READV : IORING_OP_READ) : (vector ? IORING_OP_WRITEV : IORING_OP_WRITE), sqe,
            descriptor, vector ? static_cast<const void *>(rest.vector) : single.iov_base,
            static_cast<unsigned>(
                vector ? rest.count : static_cast<long>(single.iov_len > transfer_max ? transfer_max : single.iov_len)),
            static_cast<__u64>(rest.offset));
        sqe->rw_flags = static_cast<int>(rest.flags);
        break;
    }
    case ring_request::recv:
        rest_of(op, single);
        io_uring_prep_recv(sqe, descriptor, single.iov_base, single.iov_len, static_cast<int>(a[3]));
        break;
    case ring_request::send: {
        rest_of(op, single);
        // the kernel goes on until all is sent, where it can; what it leaves is submitted again
        io_uring_prep_send(sqe, descriptor, single.iov_base, single.iov_len, static_cast<int>(a[3]) | MSG_WAITALL);
        break;
    }
    case ring_request::recvmsg:
        io_uring_prep_recvmsg(sqe, descriptor, header_of(op), static_cast<unsigned>(a[2]));
        break;
    case ring_request::sendmsg:
        io_uring_prep_sendmsg(sqe, descriptor, header_of(op), static_cast<unsigned>(a[2]) | MSG_WAITALL);
        break;
    case ring_request::accept:
        io_uring_prep_accept(sqe, descriptor, pointer<sockaddr>(a[1]), pointer<socklen_t>(a[2]),
                             op.made.number == SYS_accept4 ? static_cast<int>(a[3]) : 0);
        break;
    case ring_request::connect:
        io_uring_prep_connect(sqe, descriptor, pointer<sockaddr>(a[1]), static_cast<socklen_t>(a[2]));
        break;
    case ring_request::none: std::abort();
    }
    io_uring_sqe_set_data(sqe, &op);
}

} // namespace

ring::~ring() {
    if (ring_ == nullptr) return;
    io_uring_queue_exit(ring_);
    std::free(ring_);
}

// From the newest way to set a ring up down to what Linux 5.6 knows.
int ring::set_up(unsigned entries, std::uint32_t forbidden) {
    constexpr unsigned ways[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
                                 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG, 0};
    int r = -EINVAL;
    for (const unsigned way : ways) {
        if ((forbidden & LAIO_FORBID_RING_NEW) != 0 && way != 0) continue;
        if ((forbidden & LAIO_FORBID_DEFER) != 0 && (way & IORING_SETUP_DEFER_TASKRUN) != 0) continue;
        io_uring_params parameters{};
        parameters.flags = way | IORING_SETUP_CLAMP;
        r = io_uring_queue_init_params(entries, ring_, &parameters);
        flags_ = way;
        if (r != -EINVAL) break;
    }
    if (r == 0 && (ring_->features & IORING_FEAT_RW_CUR_POS) == 0) {
        io_uring_queue_exit(ring_);
        return -EOPNOTSUPP; // before Linux 5.6
    }
    return r;
}

int ring::ask_operations() {
    io_uring_probe *probe = io_uring_get_probe_ring(ring_);
    if (probe == nullptr) return -EOPNOTSUPP;
    for (unsigned i = 1; i < request_count; ++i)
        if (io_uring_opcode_supported(probe, opcodes[i]) != 0) requests_ |= 1u << i;
    io_uring_free_probe(probe);
    return 0;
}

int ring::open(const laio_options &options, int alarm) {
    ring_ = static_cast<io_uring *>(std::calloc(1, sizeof *ring_));
    if (ring_ == nullptr) return -ENOMEM;
    int r = set_up(options.ring_entries, options.forbid);
    if (r == 0) {
        r = ask_operations();
        if (r == 0) r = io_uring_register_eventfd(ring_, alarm);
        if (r == 0) set_alarm(false);
        if (r != 0) io_uring_queue_exit(ring_);
    }
    if (r == 0) {
        (void)io_uring_register_ring_fd(ring_); // saves a look-up for each io_uring_enter(2), since Linux 5.18
        return 0;
    }
    std::free(ring_);
    ring_ = nullptr;
    return r;
}

bool ring::knows(ring_request wanted) const { return (requests_ >> static_cast<unsigned>(wanted) & 1) != 0; }

bool ring::can(const operation &op) const { return knows(request_for(op)); }

// False: there is no room.
bool ring::put(operation &op, ring_request wanted) {
    io_uring_sqe *sqe = free_entry();
    if (sqe == nullptr) return false;
    fill_entry(sqe, op, wanted);
    ++in_flight_;
    ++submitted_;
    return true;
}

int ring::start(operation &op) {
    const ring_request wanted = request_for(op);
    if (!knows(wanted)) return -EOPNOTSUPP;
    if (!backlog_.empty() || !put(op, wanted)) {
        op.held = true;
        backlog_.push(op);
    }
    return 0;
}

bool ring::cancel(operation &op) {
    if (op.held) {
        op.held = false;
        backlog_.remove(op);
        return true;
    }
    if (put_cancel(op)) {
        submit();
    } else {
        op.held = true;
        cancels_.push(op);
    }
    return false;
}

bool ring::put_cancel(operation &op) {
    io_uring_sqe *sqe = free_entry();
    if (sqe == nullptr) return false;
    io_uring_prep_cancel(sqe, &op, 0);
    io_uring_sqe_set_data(sqe, nullptr);
    return true;
}

// nullptr: there is no room.
io_uring_sqe *ring::free_entry() {
    io_uring_sqe *sqe = io_uring_get_sqe(ring_);
    if (sqe != nullptr) return sqe;
    submit();
    return io_uring_get_sqe(ring_);
}

void ring::submit() {
    if (io_uring_sq_ready(ring_) == 0) return;
    ++enters_;
    io_uring_submit(ring_); // what it could not take stays in the queue for the next time
}

// What did not fit before.
void ring::drain() {
    while (cancels_.first != nullptr && put_cancel(*cancels_.first)) cancels_.pop()->held = false;
    while (backlog_.first != nullptr && put(*backlog_.first, request_for(*backlog_.first)))
        backlog_.pop()->held = false;
}

// The kernel puts into the queue what it kept until it is asked to. Its word that it has something is not to be trusted:
// the flag may be set again after the last of it was fetched. False: it kept nothing.
bool ring::fetch() {
    const unsigned flags = IO_URING_READ_ONCE(*ring_->sq.kflags);
    if ((flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) == 0) return false;
    const unsigned before = io_uring_cq_ready(ring_);
    ++enters_;
    io_uring_get_events(ring_);
    return io_uring_cq_ready(ring_) > before;
}

void ring::take(operation_list &complete) {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe *cqe = nullptr;
    io_uring_for_each_cqe(ring_, head, cqe) {
        ++count;
        auto *op = static_cast<operation *>(io_uring_cqe_get_data(cqe));
        if (op == nullptr || cqe->user_data == LIBURING_UDATA_TIMEOUT) continue; // of a cancel, of a sleep
        if (op->held) {                                                          // its cancel was not even put yet
            op->held = false;
            cancels_.remove(*op);
        }
        op->result = cqe->res;
        complete.push(*op);
        --in_flight_;
    }
    io_uring_cq_advance(ring_, count);
}

void ring::collect(operation_list &complete) {
    do take(complete);
    while (fetch());
    if (!cancels_.empty() || !backlog_.empty()) drain();
    submit();
}

void ring::set_alarm(bool on) {
    if (ring_ != nullptr && io_uring_cq_eventfd_enabled(ring_) != on) io_uring_cq_eventfd_toggle(ring_, on);
}

bool ring::has_complete() {
    // the flag has to be read after the alarm was set
    __sync_synchronize();
    return io_uring_cq_ready(ring_) > 0 || fetch();
}

int ring::sleep(const timespec *timeout) {
    __kernel_timespec limit{};
    if (timeout != nullptr) limit = {timeout->tv_sec, timeout->tv_nsec};
    io_uring_cqe *cqe = nullptr;
    ++enters_;
    const int r = io_uring_submit_and_wait_timeout(ring_, &cqe, 1, timeout != nullptr ? &limit : nullptr, nullptr);
    return r < 0 ? r : 0;
}

// The kernel frees a closed ring behind an RCU grace period, 12 to 36 ms as measured, and then has each thread that used the
// ring forget it, in that thread. With all signals blocked nothing else interrupts.
void ring::wait_for_last_work() {
    constexpr timespec at_most{0, 100'000'000};
    const std::uint64_t all = ~std::uint64_t{0};
    const std::uint64_t none = 0;
    std::uint64_t before = 0;
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, word(&all), word(&before), sizeof all);
    system_call(SYS_rt_sigtimedwait, word(&none), 0, word(&at_most), sizeof none);
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, word(&before), 0, sizeof before);
}

} // namespace laio

#else

namespace laio {

ring::~ring() = default;
int ring::open(const laio_options &, int) { return -ENOSYS; }
bool ring::can(const operation &) const { return false; }
int ring::start(operation &) { return -EOPNOTSUPP; }
bool ring::cancel(operation &) { return true; }
void ring::submit() {}
void ring::set_alarm(bool) {}
bool ring::has_complete() { return false; }
void ring::collect(operation_list &) {}
int ring::sleep(const timespec *) { return -ENOSYS; }
void ring::wait_for_last_work() {}

} // namespace laio

#endif
