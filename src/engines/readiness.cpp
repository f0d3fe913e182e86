#include "engines/readiness.hpp"

#include "kernel/file.hpp"
#include "kernel/system_call.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <utility>

namespace laio {
namespace {

// Event data: the generation above, the descriptor below. Generation 0 is the loop's own descriptors.
std::uint64_t key_of(std::uint32_t generation, int descriptor) {
    return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(descriptor);
}

long control(int epoll, int how, int descriptor, std::uint32_t events, std::uint64_t key) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    return system_call(SYS_epoll_ctl, epoll, how, descriptor, word(&event));
}

constexpr std::uint32_t trouble = EPOLLERR | EPOLLHUP;

std::uint32_t direction(const operation &op) { return op.waits_for == until::writable ? EPOLLOUT : EPOLLIN; }

std::uint32_t directions(const operation_list &waiters) {
    std::uint32_t events = 0;
    for (const operation *op = waiters.first; op != nullptr; op = op->next) events |= direction(*op);
    return events;
}

// Whether an edge comes for all that would let go an attempt that found nothing. Not for a datagram socket that writes: it may
// wait for room in another one. Of other kinds of file nobody knows.
bool has_edges(int descriptor, std::uint32_t wanted) {
    int domain = 0;
    if (socket_option(descriptor, SO_DOMAIN, domain) < 0) return system_call(SYS_fcntl, descriptor, F_GETPIPE_SZ) > 0;
    if (domain != AF_INET && domain != AF_INET6 && domain != AF_UNIX) return false;
    int type = 0;
    return wanted == EPOLLIN || (socket_option(descriptor, SO_TYPE, type) == 0 && type == SOCK_STREAM);
}

// Adds a descriptor to a set. What is always ready or not open the attempt has found, or the next one will.
int add_to_set(int set, int descriptor, std::uint32_t events) {
    if (descriptor < 0) return 0;
    const long r = control(set, EPOLL_CTL_ADD, descriptor, events, 0);
    return r == -EPERM || r == -EBADF ? 0 : static_cast<int>(r);
}

// poll(2) and ppoll(2): POLLIN and its like are the numbers of EPOLLIN and its like.
int gather_array(int set, const operation &op) {
    const auto *asked = pointer<const pollfd>(op.made.a[0]);
    const auto *end = asked + static_cast<unsigned>(op.made.a[1]);
    for (const pollfd *one = asked; one < end; ++one) {
        const int r = add_to_set(set, one->fd, static_cast<std::uint16_t>(one->events));
        if (r == 0) continue;
        if (r != -EEXIST) return r;
        std::uint32_t events = 0; // there more than once: the events of all
        for (const pollfd *other = asked; other < end; ++other)
            if (other->fd == one->fd) events |= static_cast<std::uint16_t>(other->events);
        control(set, EPOLL_CTL_MOD, one->fd, events, 0);
    }
    return 0;
}

// select(2): the sets as the attempt kept them, for reading, writing and exceptions.
int gather_sets(int set, const operation &op) {
    constexpr std::uint32_t events_of[3] = {EPOLLIN, EPOLLOUT, EPOLLPRI};
    const auto count = static_cast<int>(op.made.a[0]);
    const auto bytes = (static_cast<std::size_t>(count) + 63) / 64 * 8;
    const auto *sets = static_cast<const unsigned char *>(op.copied);
    for (int descriptor = 0; descriptor < count; ++descriptor) {
        std::uint32_t events = 0;
        for (std::size_t i = 0; i < 3; ++i)
            if ((sets[i * bytes + static_cast<std::size_t>(descriptor) / 8] >> (descriptor % 8) & 1) != 0)
                events |= events_of[i];
        if (events == 0) continue;
        if (const int r = add_to_set(set, descriptor, events); r < 0) return r;
    }
    return 0;
}

} // namespace

static_assert(sizeof(epoll_event) <= 16);

readiness::~readiness() {
    if (epoll_ >= 0) system_call(SYS_close, epoll_);
    if (alarm_ >= 0) system_call(SYS_close, alarm_);
    watches_.clear([](watch &w) { std::free(&w); }); // in the child of a fork somebody may still wait
    while (unused_ != nullptr) {
        watch *next = unused_->next_in_bucket;
        std::free(unused_);
        unused_ = next;
    }
}

int readiness::open(int timer_descriptor, bool closes_told) {
    closes_told_ = closes_told;
    const long epoll = system_call(SYS_epoll_create1, EPOLL_CLOEXEC);
    if (epoll < 0) return static_cast<int>(epoll);
    epoll_ = static_cast<int>(epoll);
    const long alarm = system_call(SYS_eventfd2, 0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (alarm < 0) return static_cast<int>(alarm);
    alarm_ = static_cast<int>(alarm);
    // edge-triggered, so that neither has to be read: each ring of the alarm is an event
    if (const long r = control(epoll_, EPOLL_CTL_ADD, alarm_, EPOLLIN | EPOLLET, key_of(0, alarm_)); r < 0)
        return static_cast<int>(r);
    return static_cast<int>(
        control(epoll_, EPOLL_CTL_ADD, timer_descriptor, EPOLLIN | EPOLLET, key_of(0, timer_descriptor)));
}

readiness::watch *readiness::watch_for(int descriptor) {
    watch *w = watches_.find(descriptor);
    if (w != nullptr) return w;
    w = unused_;
    if (w != nullptr) unused_ = w->next_in_bucket;
    else w = static_cast<watch *>(std::malloc(sizeof *w));
    if (w == nullptr) return nullptr;
    if (++generation_ == 0) ++generation_;
    *w = {descriptor, nullptr, generation_, {}, 0, 0, false};
    watches_.insert(*w);
    return w;
}

void readiness::drop(watch &w) {
    watches_.remove(w);
    w.next_in_bucket = unused_;
    unused_ = &w;
}

void readiness::make_stale(watch &w) {
    while (operation *op = w.waiters.pop()) {
        op->held = false;
        stale_.push(*op);
    }
}

int readiness::arm(const watch &w, int how, std::uint32_t events) const {
    return static_cast<int>(
        control(epoll_, how, w.descriptor, events | EPOLLONESHOT, key_of(w.generation, w.descriptor)));
}

int readiness::start(operation &op) {
    const bool found_nothing = std::exchange(op.found_nothing, false);
    watch *w = watch_for(op.descriptor);
    if (w == nullptr) return -ENOMEM;
    if (closes_told_ && op.own_descriptor < 0 && (w->told != 0 || w->waiters.empty()))
        return start_told(*w, op, found_nothing);
    w->told = 0;
    int r = arm(*w, EPOLL_CTL_MOD, directions(w->waiters) | direction(op));
    int added = 0;
    if (r == -ENOENT) {
        make_stale(*w); // whoever waited here waited for a file that this number does not mean any more
        r = arm(*w, EPOLL_CTL_ADD, direction(op));
        added = 1;
    }
    if (r == 0) {
        w->waiters.push(op);
        op.held = true;
        return added;
    }
    if (w->waiters.empty()) drop(*w);
    return r;
}

// Where the number can be believed, the registration stays, and an edge will come when an attempt that found nothing would find
// something. Everything else makes epoll look at the file now, by a change of the registration: an attempt that is not made yet
// or stopped half-way, a file whose edges are not to be trusted, a wait that was over for nothing.
int readiness::start_told(watch &w, operation &op, bool found_nothing) {
    const std::uint32_t wanted = direction(op);
    const bool is_new = w.told == 0;
    int added = is_new ? 1 : 0;
    if ((w.told & w.trusted & wanted) == 0 || w.doubted || !found_nothing || op.fruitless > 0) {
        int r = tell(w, w.told | wanted);
        if (r == -ENOENT) { // the promise was broken: the number means another file
            make_stale(w);
            if (++generation_ == 0) ++generation_;
            w.generation = generation_;
            w.told = w.trusted = 0;
            r = tell(w, wanted);
            added = 1;
        }
        if (r < 0) {
            if (w.told == 0) drop(w);
            return r;
        }
        if ((w.told & wanted) == 0 && has_edges(w.descriptor, wanted)) w.trusted |= wanted;
        w.told |= wanted;
        w.doubted = false;
    }
    w.waiters.push(op);
    op.held = true;
    return added;
}

// It may be in the set though it was never told: from a wait that was not trusted.
int readiness::tell(watch &w, std::uint32_t events) const {
    const std::uint64_t key = key_of(w.generation, w.descriptor);
    long r = control(epoll_, w.told == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, w.descriptor, events | EPOLLET, key);
    if (r == -EEXIST) r = control(epoll_, EPOLL_CTL_MOD, w.descriptor, events | EPOLLET, key);
    return static_cast<int>(r);
}

// Some sockets have an edge for every piece that their peer takes: who was told so for nothing asks again when it matters.
void readiness::tell_no_more_of_writing(watch &w) {
    if ((w.told & ~std::uint32_t{EPOLLOUT}) == 0) return forget_told(w);
    if (tell(w, w.told & ~std::uint32_t{EPOLLOUT}) == 0) w.told &= ~std::uint32_t{EPOLLOUT};
}

void readiness::forget_told(int descriptor) {
    if (watch *w = watches_.find(descriptor); w != nullptr && w->told != 0) forget_told(*w);
}

void readiness::forget(unsigned first, unsigned last) {
    watches_.for_each([&](watch &w) {
        const auto number = static_cast<unsigned>(w.descriptor);
        if (w.told != 0 && number >= first && number <= last) forget_told(w);
    });
}

// The file may live on elsewhere, and would be told of for ever. Whoever waits still (its number may be taken from it by
// dup2(2), or not) goes on like one who was promised nothing.
void readiness::forget_told(watch &w) {
    if (w.waiters.empty()) {
        control(epoll_, EPOLL_CTL_DEL, w.descriptor, 0, 0);
        return drop(w);
    }
    arm(w, EPOLL_CTL_MOD, directions(w.waiters));
    w.told = 0;
}

bool readiness::cancel(operation &op) {
    if (!op.held) return true;
    op.held = false;
    watch *w = watches_.find(op.descriptor);
    w->waiters.remove(op);
    w->doubted = true;
    if (w->waiters.empty() && w->told == 0) drop(*w); // an event that is armed will find no watch
    return true;
}

// After an event of it. Epoll is asked to add it once more: it refuses what it has, in less time than it takes to change that.
bool readiness::is_same_file(const watch &w) const {
    if (const std::uint32_t events = directions(w.waiters); events != 0) return arm(w, EPOLL_CTL_MOD, events) == 0;
    const int r = arm(w, EPOLL_CTL_ADD, 0);
    if (r == 0) control(epoll_, EPOLL_CTL_DEL, w.descriptor, 0, 0);
    return r == -EEXIST;
}

void readiness::dispatch(std::uint64_t key, std::uint32_t events, operation_list &ready) {
    watch *w = watches_.find(static_cast<int>(key & 0xffffffff));
    if (w == nullptr || w->generation != key >> 32) return;
    operation_list triggered;
    for (operation *op = w->waiters.first; op != nullptr;) {
        operation *next = op->next;
        if ((events & (direction(*op) | trouble)) != 0) {
            w->waiters.remove(*op);
            op->held = false;
            triggered.push(*op);
        }
        op = next;
    }
    if (w->told != 0) {
        if (triggered.empty() && events == EPOLLOUT) tell_no_more_of_writing(*w);
        while (operation *op = triggered.pop()) ready.push(*op);
        return;
    }
    const bool same_file = is_same_file(*w);
    while (operation *op = triggered.pop()) (same_file ? ready : stale_).push(*op);
    if (!same_file) make_stale(*w);
    if (w->waiters.empty()) drop(*w);
}

void readiness::collect(operation_list &ready) {
    const auto *events = reinterpret_cast<const epoll_event *>(events_);
    for (int i = 0; i < found_; ++i)
        if (events[i].data.u64 >> 32 != 0) dispatch(events[i].data.u64, events[i].events, ready);
    found_ = 0;
}

int readiness::sleep(const timespec *timeout) {
    const bool at_once = timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec == 0;
    long r = -ENOSYS;
    if (has_pwait2_ && timeout != nullptr && !at_once)
        r = system_call(SYS_epoll_pwait2, epoll_, word(events_), events_max, word(timeout), 0, 0);
    if (r == -ENOSYS || r == -EPERM) { // before Linux 5.11, a filter, or nothing to count in nanoseconds
        long timeout_ms = at_once ? 0 : -1;
        if (timeout != nullptr && !at_once) {
            has_pwait2_ = false;
            const bool beyond = timeout->tv_sec > INT_MAX / 1000 - 1;
            timeout_ms = beyond ? INT_MAX : timeout->tv_sec * 1000 + (timeout->tv_nsec + 999'999) / 1'000'000;
        }
        r = system_call(SYS_epoll_pwait, epoll_, word(events_), events_max, timeout_ms, 0, 0);
    }
    found_ = r > 0 ? static_cast<int>(r) : 0;
    was_full_ = found_ == events_max;
    return r < 0 ? static_cast<int>(r) : 0;
}

int readiness::gather(operation &op) {
    const long set = system_call(SYS_epoll_create1, EPOLL_CLOEXEC);
    if (set < 0) return static_cast<int>(set);
    op.own_descriptor = op.descriptor = static_cast<int>(set);
    return op.copied != nullptr ? gather_sets(op.descriptor, op) : gather_array(op.descriptor, op);
}

} // namespace laio
