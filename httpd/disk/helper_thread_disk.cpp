#include "disk/helper_thread_disk.hpp"

#include "loop/libevent_multiplexer.hpp"
#include "signals_blocked.hpp"

#include <event2/event.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace httpd {

helper_thread_disk::helper_thread_disk(libevent_multiplexer &loop, int root, unsigned threads_max)
    : helped_disk(loop, root), threads_max_(threads_max), wakeup_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wakeup_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    event_assign(
        &wakeup_event_, loop.base(), wakeup_, EV_READ | EV_PERSIST,
        [](evutil_socket_t, short, void *self) { static_cast<helper_thread_disk *>(self)->take_finished(); }, this);
    event_add(&wakeup_event_, nullptr);
}

helper_thread_disk::~helper_thread_disk() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    has_work_.notify_all();
    for (auto &thread : threads_) thread.join();
    event_del(&wakeup_event_);
    ::close(wakeup_);
}

void helper_thread_disk::send(const errand &what) {
    std::unique_lock lock(mutex_);
    queue_.push_back(what);
    const bool too_few = idle_ < queue_.size() && threads_.size() < threads_max_;
    lock.unlock();
    if (!too_few) {
        has_work_.notify_one();
    } else if (!start_thread() && threads_.empty()) {
        queue_.clear(); // of this one
        refused(what, EAGAIN);
    }
}

bool helper_thread_disk::start_thread() {
    const signals_blocked meanwhile;
    try {
        threads_.emplace_back([this] { help(); });
        return true;
    } catch (const std::system_error &) {
        return false; // for now
    }
}

void helper_thread_disk::help() {
    std::unique_lock lock(mutex_);
    for (;;) {
        ++idle_;
        has_work_.wait(lock, [this] { return ending_ || !queue_.empty(); });
        --idle_;
        if (queue_.empty()) return;
        finished one{std::move(queue_.front()), {}};
        queue_.pop_front();
        lock.unlock();
        one.result = run_errand(root_, one.what.order, one.what.name.c_str(), one.what.file);
        lock.lock();
        finished_.push_back(std::move(one));
        if (finished_.size() == 1) ::eventfd_write(wakeup_, 1);
    }
}

void helper_thread_disk::take_finished() {
    loop_.woke();
    eventfd_t wakeups = 0;
    ::eventfd_read(wakeup_, &wakeups);
    std::vector<finished> done;
    {
        const std::lock_guard lock(mutex_);
        done.swap(finished_);
    }
    for (const auto &[what, result] : done) returned(what, result);
}

} // namespace httpd
