#include "loop/libevent_multiplexer.hpp"

#include <event2/event.h>

#include <system_error>

namespace httpd {
namespace {

event_base *make_base() {
    event_config *config = event_config_new();
    if (config == nullptr) return nullptr;
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST | EVENT_BASE_FLAG_NOLOCK);
    event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

} // namespace

class libevent_multiplexer::readability final : public background_work {
public:
    readability(const readability &) = delete;
    readability &operator=(const readability &) = delete;
    ~readability() {
        if (who_ != nullptr) event_del(&event_);
    }

    explicit readability(libevent_multiplexer &owner) : owner_(owner) {}
    outcome wait_for(task &who, int descriptor) {
        event_assign(&event_, owner_.base(), descriptor, EV_READ, told, this);
        return event_add(&event_, nullptr) == 0 ? begin(who) : outcome::failure(ENOMEM);
    }
    void cancel() override { event_active(&event_, EV_TIMEOUT, 0); }

private:
    static void told(evutil_socket_t /*descriptor*/, short what, void *arg) {
        auto &self = *static_cast<readability *>(arg);
        self.owner_.woke();
        event_del(&self.event_);
        self.finish((what & EV_READ) != 0 ? outcome{} : outcome::failure(ECANCELED));
    }

    libevent_multiplexer &owner_;
    event event_{};
};

void libevent_multiplexer::freer::operator()(event_base *base) const { event_base_free(base); }
void libevent_multiplexer::freer::operator()(readability *one) const { delete one; }

libevent_multiplexer::libevent_multiplexer() : base_(make_base()), readability_(new readability(*this)) {
    if (base_ == nullptr) throw std::system_error(errno, std::generic_category(), "libevent's event base");
    // Its only purpose is to end a wait.
    evtimer_assign(
        &timer_, base_.get(), [](evutil_socket_t, short, void *) {}, nullptr);
}

void libevent_multiplexer::wait(std::int64_t timeout_ns) {
    if (timeout_ns > 0) {
        const std::int64_t timeout_us = (timeout_ns + 999) / 1000;
        const timeval timeout{.tv_sec = timeout_us / 1'000'000, .tv_usec = timeout_us % 1'000'000};
        evtimer_add(&timer_, &timeout);
    }
    const int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY | (timeout_ns == 0 ? EVLOOP_NONBLOCK : 0);
    if (event_base_loop(base_.get(), flags) < 0)
        throw std::system_error(errno, std::generic_category(), "event_base_loop");
    if (timeout_ns > 0) evtimer_del(&timer_);
}

outcome libevent_multiplexer::readable(task &who, int descriptor) { return readability_->wait_for(who, descriptor); }

} // namespace httpd
