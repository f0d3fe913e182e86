#include "disk/aio_disk.hpp"

#include "disk/residency.hpp"
#include "loop/libevent_multiplexer.hpp"

#include <event2/event.h>

#include <aio.h>
#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace httpd {
namespace {

constexpr int completion_signal = SIGIO;

constexpr int thread_idle_s = 60;

// Before the first read. The C library has a thread for each read under way.
void set_concurrency(unsigned reads) {
    aioinit settings{};
    settings.aio_threads = static_cast<int>(reads);
    settings.aio_num = static_cast<int>(reads);
    settings.aio_idle_time = thread_idle_s;
    ::aio_init(&settings);
}

int open_signals() {
    sigset_t completions;
    sigemptyset(&completions);
    sigaddset(&completions, completion_signal);
    const int error = pthread_sigmask(SIG_BLOCK, &completions, nullptr);
    const int signals = error == 0 ? ::signalfd(-1, &completions, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
    if (signals < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
    return signals;
}

} // namespace

// The C library may still look at how to tell of a read when that is seen to be over: this never changes.
struct aio_disk::read {
    read() {
        control->aio_buf = memory.get();
        control->aio_sigevent.sigev_notify = SIGEV_SIGNAL;
        control->aio_sigevent.sigev_signo = completion_signal;
    }

    errand what;
    std::unique_ptr<char[]> memory = std::make_unique<char[]>(residency_bytes_max);
    std::unique_ptr<aiocb> control = std::make_unique<aiocb>(); // -Wpedantic will not have it as a member
};

aio_disk::aio_disk(libevent_multiplexer &loop, int root, unsigned reads_max)
    : helped_disk(loop, root), names_(root), reads_max_(reads_max), signals_(open_signals()) {
    set_concurrency(reads_max);
    event_assign(
        &signal_event_, loop.base(), signals_, EV_READ | EV_PERSIST,
        [](evutil_socket_t, short, void *self) { static_cast<aio_disk *>(self)->take_completed(); }, this);
    event_add(&signal_event_, nullptr);
}

// Cancels nothing: but when it returns, the C library is done with the reads that are over.
aio_disk::~aio_disk() {
    event_del(&signal_event_);
    ::aio_cancel(signals_, nullptr);
    ::close(signals_);
}

void aio_disk::send(const errand &what) {
    if (under_way_.size() < reads_max_) begin(what);
    else queue_.push_back(what);
}

// The handler of Figure 6 of the LAIO paper: a control block is prepared, the read begun, and the event loop waits for its
// end. The C library makes the reads of one descriptor one after another, so each has its own.
void aio_disk::begin(const errand &what) {
    read_no_more_than_told(what.file);
    if (unused_.empty()) unused_.emplace_back();
    auto &one = unused_.front();
    one.what = what;
    one.control->aio_fildes = ::fcntl(what.file, F_DUPFD_CLOEXEC, 0);
    one.control->aio_offset = what.order.offset;
    one.control->aio_nbytes = what.order.length;
    if (one.control->aio_fildes >= 0 && ::aio_read(one.control.get()) == 0) {
        under_way_.splice(under_way_.end(), unused_, unused_.begin());
        return;
    }
    refused(what, errno);
    if (one.control->aio_fildes >= 0) ::close(one.control->aio_fildes);
}

void aio_disk::take_completed() {
    loop_.woke();
    signalfd_siginfo signal{};
    while (::read(signals_, &signal, sizeof signal) > 0) {}
    std::list<read> completed;
    for (auto one = under_way_.begin(); one != under_way_.end();) {
        const auto next = std::next(one);
        if (::aio_error(one->control.get()) != EINPROGRESS) completed.splice(completed.end(), under_way_, one);
        one = next;
    }
    for (; !queue_.empty() && under_way_.size() < reads_max_; queue_.pop_front()) begin(queue_.front());
    for (auto &one : completed) {
        const int error = ::aio_error(one.control.get());
        const long length = ::aio_return(one.control.get());
        ::close(one.control->aio_fildes);
        returned(one.what, error == 0 ? errand_result{length, 0, {}} : errand_result::failure(error));
    }
    unused_.splice(unused_.end(), completed);
}

} // namespace httpd
