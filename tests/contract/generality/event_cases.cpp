// Waiting for events and what gives them: poll(2), select(2), epoll(7), eventfd(2), timerfd(2), signalfd(2), inotify(7).
#include "generality/cases.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace laio::test {
namespace {

void play_poll(stage &s) {
    const pipe_ends ends = make_pipe();
    std::array<pollfd, 3> items{pollfd{ends.reader.get(), POLLIN, 0}, pollfd{ends.writer.get(), POLLOUT, 0},
                                pollfd{-1, POLLIN, 0}};
    s.call(SYS_poll, items.data(), 3, -1);
    s.note("reader", static_cast<long>(items[0].revents));
    s.note("writer", static_cast<long>(items[1].revents));
    s.call_that_waits(SYS_poll, items.data(), 1, 2);
    s.call_while([&] { write_all(ends.writer.get(), "x"); }, SYS_poll, items.data(), 1, -1);
    s.note("reader", static_cast<long>(items[0].revents));
    items[0].fd = 999;
    s.call(SYS_poll, items.data(), 1, -1);
    s.note("no descriptor", static_cast<long>(items[0].revents));
    const timespec brief{0, 2000000};
    items[0].fd = -1;
    s.call_that_waits(SYS_ppoll, items.data(), 1, &brief, nullptr, 0);
    items[0].fd = 999;
    s.call(SYS_ppoll, items.data(), 1, &brief, nullptr, 0);
    s.call(SYS_poll, 8, 1, 0);
}

void play_select(stage &s) {
    const pipe_ends ends = make_pipe();
    const int count = std::max(ends.reader.get(), ends.writer.get()) + 1;
    fd_set readers;
    fd_set writers;
    const auto set = [&] {
        FD_ZERO(&readers);
        FD_ZERO(&writers);
        FD_SET(ends.reader.get(), &readers);
        FD_SET(ends.writer.get(), &writers);
    };
    set();
    s.call(SYS_select, count, &readers, &writers, nullptr, nullptr);
    s.note("reader", static_cast<long>(FD_ISSET(ends.reader.get(), &readers)));
    s.note("writer", static_cast<long>(FD_ISSET(ends.writer.get(), &writers)));
    set();
    timeval brief{0, 2000};
    s.call_that_waits(SYS_select, count, &readers, nullptr, nullptr, &brief);
    s.note("reader", static_cast<long>(FD_ISSET(ends.reader.get(), &readers)));
    set();
    s.call_while([&] { write_all(ends.writer.get(), "x"); }, SYS_select, count, &readers, nullptr, nullptr, nullptr);
    s.note("reader", static_cast<long>(FD_ISSET(ends.reader.get(), &readers)));
    set();
    const timespec none{0, 0};
    s.call(SYS_pselect6, count, &readers, &writers, nullptr, &none, nullptr);
    s.note("writer", static_cast<long>(FD_ISSET(ends.writer.get(), &writers)));
    s.call(SYS_select, -1, &readers, nullptr, nullptr, nullptr);
}

void play_epoll(stage &s) {
    const pipe_ends ends = make_pipe();
    const descriptor epoll = s.call_for_descriptor(SYS_epoll_create1, EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = 42;
    s.call(SYS_epoll_ctl, epoll.get(), EPOLL_CTL_ADD, ends.reader.get(), &event);
    s.call(SYS_epoll_ctl, epoll.get(), EPOLL_CTL_ADD, ends.reader.get(), &event);
    std::array<epoll_event, 4> events{};
    s.call(SYS_epoll_wait, epoll.get(), events.data(), 4, 0);
    s.call_that_waits(SYS_epoll_wait, epoll.get(), events.data(), 4, 2);
    s.call_while([&] { write_all(ends.writer.get(), "x"); }, SYS_epoll_wait, epoll.get(), events.data(), 4, -1);
    s.note("data", static_cast<long>(events[0].data.u32));
    s.note("events", static_cast<long>(events[0].events));
    s.call(SYS_epoll_pwait, epoll.get(), events.data(), 4, -1, nullptr, 8);
    const timespec brief{0, 2000000};
    // An old kernel does not have it; the library does then without it what it does.
    if (syscall(SYS_epoll_pwait2, -1, events.data(), 4, &brief, nullptr, 8) != -1 || errno != ENOSYS)
        s.call(SYS_epoll_pwait2, epoll.get(), events.data(), 4, &brief, nullptr, 8);
    s.call(SYS_epoll_wait, epoll.get(), events.data(), 0, -1);
    s.call(SYS_epoll_wait, ends.reader.get(), events.data(), 4, -1);
    s.call(SYS_epoll_ctl, epoll.get(), EPOLL_CTL_DEL, ends.reader.get(), nullptr);
}

void play_eventfd(stage &s) {
    const descriptor counter = s.call_for_descriptor(SYS_eventfd2, 3, EFD_CLOEXEC);
    std::uint64_t value = 0;
    s.call(SYS_read, counter.get(), &value, sizeof value);
    s.note("value", static_cast<long>(value));
    const std::uint64_t five = 5;
    s.call_while(
        [&] {
            write_all(counter.get(), {reinterpret_cast<const char *>(&five), sizeof five});
        },
        SYS_read, counter.get(), &value, sizeof value);
    s.note("value", static_cast<long>(value));
    s.call(SYS_write, counter.get(), &five, sizeof five);
    s.call(SYS_read, counter.get(), &value, 3);
    s.call(SYS_eventfd2, 0, ~0);
}

void play_timerfd(stage &s) {
    const descriptor timer = s.call_for_descriptor(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC);
    const itimerspec brief{{0, 0}, {0, 2000000}};
    s.call(SYS_timerfd_settime, timer.get(), 0, &brief, nullptr);
    std::uint64_t count = 0;
    s.call_that_waits(SYS_read, timer.get(), &count, sizeof count);
    s.note("expired", static_cast<long>(count));
    itimerspec left{};
    s.call(SYS_timerfd_gettime, timer.get(), &left);
    s.note("left", left.it_value.tv_nsec);
}

void play_signalfd(stage &s) {
    sigset_t set{};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigset_t before{};
    EXPECT_EQ(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
    {
        const descriptor signals = s.call_for_descriptor(SYS_signalfd4, -1, &set, 8, SFD_CLOEXEC);
        EXPECT_EQ(kill(getpid(), SIGUSR2), 0); // To the process: another thread may be the one that reads.
        signalfd_siginfo info{};
        s.call(SYS_read, signals.get(), &info, sizeof info);
        s.note("signal", static_cast<long>(info.ssi_signo));
    }
    EXPECT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

void play_inotify(stage &s) {
    const descriptor watcher = s.call_for_descriptor(SYS_inotify_init1, IN_CLOEXEC);
    const std::string root = s.root().path();
    s.call(SYS_inotify_add_watch, watcher.get(), root.c_str(), IN_CREATE);
    alignas(inotify_event) std::array<char, 512> buffer{};
    s.call_while([&] { s.file("seen", ""); }, SYS_read, watcher.get(), buffer.data(), buffer.size());
    const auto *event = reinterpret_cast<const inotify_event *>(buffer.data());
    s.note("event", static_cast<long>(event->mask));
    s.note("name", event->name);
    s.call(SYS_inotify_rm_watch, watcher.get(), 1);
    s.call(SYS_inotify_rm_watch, watcher.get(), 99);
}

} // namespace

std::span<const generality_case> event_cases() {
    static const std::vector<generality_case> cases{
        {"poll", {SYS_poll, SYS_ppoll}, play_poll},
        {"select", {SYS_select, SYS_pselect6}, play_select},
        {"epoll", {SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_wait, SYS_epoll_pwait}, play_epoll},
        {"eventfd", {SYS_eventfd2}, play_eventfd},
        {"timerfd", {SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime}, play_timerfd},
        {"signalfd", {SYS_signalfd4}, play_signalfd},
        {"inotify", {SYS_inotify_init1, SYS_inotify_add_watch, SYS_inotify_rm_watch}, play_inotify},
    };
    return cases;
}

} // namespace laio::test
