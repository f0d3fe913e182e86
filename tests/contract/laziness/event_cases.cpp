// More of what gives events (the older calls, fanotify), the kernel's own asynchronous I/O, futexes, and message queues.
#include "laziness/cases.hpp"

#include <csignal>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>

namespace laio::test {
namespace {

void play_older_events(stage &s) {
    { const descriptor made = s.call_for_descriptor(number_of("epoll_create"), 1); }
    { const descriptor made = s.call_for_descriptor(number_of("eventfd"), 1); }
    { const descriptor made = s.call_for_descriptor(number_of("inotify_init")); }
    sigset_t none{};
    sigemptyset(&none);
    { const descriptor made = s.call_for_descriptor(number_of("signalfd"), -1, &none, 8); }
    s.call(number_of("epoll_ctl_old"));
    s.call(number_of("epoll_wait_old"));
}

void play_newer_events(stage &s) {
    const pipe_ends ends = make_pipe();
    const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{.events = EPOLLIN, .data = {}};
    EXPECT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ends.reader.get(), &event), 0);
    write_all(ends.writer.get(), "x");
    s.call(SYS_epoll_pwait2, epoll.get(), &event, 1, nullptr, nullptr, 8);
}

void play_watches(stage &s) {
    const descriptor watcher{inotify_init1(IN_CLOEXEC)};
    const std::string root = s.root().path();
    s.call(SYS_inotify_add_watch, watcher.get(), root.c_str(), IN_CREATE);
    s.call(SYS_inotify_rm_watch, watcher.get(), 1);
    { const descriptor made = s.call_for_descriptor(SYS_fanotify_init, FAN_CLOEXEC, O_RDONLY); }
    s.call(SYS_fanotify_mark, -1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, root.c_str());
}

void play_asynchronous_io(stage &s) {
    const descriptor file = s.file("a", "read by the kernel");
    aio_context_t context = 0;
    s.call(SYS_io_setup, 8, &context);
    std::array<char, 4> bytes{};
    iocb request{};
    request.aio_lio_opcode = IOCB_CMD_PREAD;
    request.aio_fildes = static_cast<std::uint32_t>(file.get());
    request.aio_buf = reinterpret_cast<std::uintptr_t>(bytes.data());
    request.aio_nbytes = bytes.size();
    const std::array<iocb *, 1> requests{&request};
    s.call(SYS_io_submit, context, 1, requests.data());
    io_event event{};
    s.call(SYS_io_getevents, context, 1, 1, &event, nullptr);
    s.note("result", static_cast<long>(event.res));
    s.note("bytes", std::string_view{bytes.data(), bytes.size()});
    s.call(SYS_io_pgetevents, context, 0, 1, &event, nullptr, nullptr);
    s.call(SYS_io_cancel, context, &request, &event);
    s.call_that_waits(SYS_io_destroy, context); // until every CPU has let go of it
    s.call(SYS_io_destroy, 8);
}

void play_io_uring(stage &s) {
    s.call(SYS_io_uring_enter, -1, 0, 0, 0, nullptr, 0);
    s.call(SYS_io_uring_register, -1, 0, nullptr, 0);
}

void play_io_uring_setup(stage &s) { s.call(SYS_io_uring_setup, 1, nullptr); }

void play_more_futexes(stage &s) {
    alignas(4) static unsigned word;
    word = 5;
    futex_waitv wait{};
    wait.val = 4;
    wait.uaddr = reinterpret_cast<std::uintptr_t>(&word);
    wait.flags = FUTEX_32 | FUTEX_PRIVATE_FLAG;
    s.call(SYS_futex_waitv, &wait, 1, 0, nullptr, CLOCK_MONOTONIC);
    s.call(SYS_futex_waitv, &wait, 0, 0, nullptr, CLOCK_MONOTONIC);
    constexpr int private_32_bits = 2 | FUTEX_PRIVATE_FLAG;
    s.call(number_of("futex_wake"), &word, ~0U, 1, private_32_bits);
    s.call(number_of("futex_wait"), &word, 4, ~0U, private_32_bits, nullptr, CLOCK_MONOTONIC);
    s.call(number_of("futex_requeue"), nullptr, 0, 1, 1);
}

void play_queue_notes(stage &s) {
    const std::string name = "laio-test-notes-" + std::to_string(getpid());
    s.call(SYS_mq_unlink, name.c_str());
    const descriptor queue{
        static_cast<int>(syscall(SYS_mq_open, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, nullptr))};
    mq_attr attributes{};
    s.call(SYS_mq_getsetattr, queue.get(), nullptr, &attributes);
    s.note("size", attributes.mq_msgsize);
    sigevent event{};
    event.sigev_notify = SIGEV_NONE;
    s.call(SYS_mq_notify, queue.get(), &event);
    s.call(SYS_mq_notify, queue.get(), nullptr);
    s.call(SYS_mq_unlink, name.c_str());
}

} // namespace

std::span<const generality_case> lazy_event_cases() {
    static const std::vector<generality_case> cases{
        {"older_events",
         {number_of("epoll_create"), number_of("eventfd"), number_of("inotify_init"), number_of("signalfd"),
          number_of("epoll_ctl_old"), number_of("epoll_wait_old")},
         play_older_events},
        {"newer_events", {SYS_epoll_pwait2}, play_newer_events},
        {"watches", {SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_fanotify_init, SYS_fanotify_mark}, play_watches},
        {"asynchronous_io",
         {SYS_io_setup, SYS_io_submit, SYS_io_getevents, SYS_io_pgetevents, SYS_io_cancel, SYS_io_destroy},
         play_asynchronous_io},
        {"io_uring", {SYS_io_uring_enter, SYS_io_uring_register}, play_io_uring},
        {"io_uring_setup", {SYS_io_uring_setup}, play_io_uring_setup},
        {"more_futexes",
         {SYS_futex_waitv, number_of("futex_wake"), number_of("futex_wait"), number_of("futex_requeue")},
         play_more_futexes},
        {"queue_notes", {SYS_mq_getsetattr, SYS_mq_notify, SYS_mq_unlink}, play_queue_notes},
    };
    return cases;
}

} // namespace laio::test
