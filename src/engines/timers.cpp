#include "engines/timers.hpp"

#include "kernel/clock.hpp"
#include "kernel/system_call.hpp"

#include <cerrno>
#include <cstdlib>
#include <sys/timerfd.h>

namespace laio {

timers::~timers() {
    if (descriptor_ >= 0) system_call(SYS_close, descriptor_);
    std::free(static_cast<void *>(heap_));
}

int timers::open() {
    const long r = system_call(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (r < 0) return static_cast<int>(r);
    descriptor_ = static_cast<int>(r);
    return 0;
}

void timers::place(operation &op, std::size_t at) {
    heap_[at] = &op;
    op.timer_place = static_cast<std::int32_t>(at);
}

void timers::sift_up(std::size_t at) {
    operation &op = *heap_[at];
    for (; at > 1 && heap_[at / 2]->deadline_ns > op.deadline_ns; at /= 2) place(*heap_[at / 2], at);
    place(op, at);
}

void timers::sift_down(std::size_t at) {
    operation &op = *heap_[at];
    for (std::size_t child = 2 * at; child <= count_; child = 2 * at) {
        if (child < count_ && heap_[child + 1]->deadline_ns < heap_[child]->deadline_ns) ++child;
        if (heap_[child]->deadline_ns >= op.deadline_ns) break;
        place(*heap_[child], at);
        at = child;
    }
    place(op, at);
}

// Arms the timerfd for the first deadline if that is earlier than what it is armed for. It may fire early, never late.
void timers::arm() {
    if (count_ == 0) return;
    const std::int64_t first_ns = heap_[1]->deadline_ns;
    // one that has gone off meanwhile, for an operation that was cancelled, is not armed any more
    if (armed_ns_ <= first_ns && armed_ns_ > now_ns()) return;
    itimerspec when{};
    when.it_value.tv_sec = first_ns / 1'000'000'000;
    when.it_value.tv_nsec = first_ns % 1'000'000'000;
    system_call(SYS_timerfd_settime, descriptor_, TFD_TIMER_ABSTIME, word(&when), 0);
    armed_ns_ = first_ns;
}

int timers::start(operation &op) {
    if (count_ + 1 >= room_) {
        const std::size_t room = room_ == 0 ? 64 : 2 * room_;
        // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
        void *larger = std::realloc(static_cast<void *>(heap_), room * sizeof *heap_);
        if (larger == nullptr) return -ENOMEM;
        heap_ = static_cast<operation **>(larger);
        room_ = room;
    }
    place(op, ++count_);
    sift_up(count_);
    arm();
    return 0;
}

void timers::remove(operation &op) {
    const auto at = static_cast<std::size_t>(op.timer_place);
    op.timer_place = 0;
    operation &last = *heap_[count_--];
    if (&last == &op) return;
    place(last, at);
    sift_up(at);
    sift_down(static_cast<std::size_t>(last.timer_place));
}

operation *timers::take_expired() {
    if (count_ == 0) return nullptr;
    const std::int64_t now = now_ns();
    operation *first = heap_[1];
    if (first->deadline_ns > now) {
        arm();
        return nullptr;
    }
    cancel(*first);
    return first;
}

} // namespace laio
