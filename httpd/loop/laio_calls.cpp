#include "loop/laio_calls.hpp"

#include "loop/libevent_multiplexer.hpp"

#include <system_error>

namespace httpd {

struct laio_calls::in_background final : background_work {
    explicit in_background(laio_calls &owner) : owner_(owner) {}

    // Figure 2: the event loop is told what to call when the operation is complete.
    outcome wait_for(task &who, step next, void *state) {
        next_ = next;
        state_ = state;
        laio_event_assign(&event_, owner_.loop_.base(), laio_gethandle(), completed, this);
        if (laio_event_add(&event_, nullptr) != 0)
            throw std::system_error(errno, std::generic_category(), "laio_event");
        return begin(who);
    }

    void cancel() override { laio_cancel(event_.handle); }

private:
    static void completed(void *arg, long value, int error) {
        auto &self = *static_cast<in_background *>(arg);
        self.owner_.loop_.woke();
        task &who = *self.who_;
        self.forget();
        self.owner_.pool_.give_back(self);
        outcome result{value, error};
        if (self.next_ != nullptr) result = self.next_(self.owner_, who, result, self.state_);
        if (!result.in_background()) who.completed(result);
    }

    laio_calls &owner_;
    laio_event event_{};
    step next_ = nullptr;
    void *state_ = nullptr;
};

laio_calls::laio_calls(libevent_multiplexer &loop, unsigned disk_concurrency) : loop_(loop) {
    laio_options options{};
    options.size = sizeof options;
    // sockets block, no signal has a handler, and laio_network closes its own through laio
    options.flags = LAIO_ASSUME_BLOCKING | LAIO_SIGNALS_BLOCKED | LAIO_CLOSES_TOLD;
    options.carriers_max = disk_concurrency + 1; // one stands by: what is in memory waits for no disk
    if (laio_init(&options) != 0) throw std::system_error(errno, std::generic_category(), "laio_init");
    if (laio_event_attach(loop.base()) != 0)
        throw std::system_error(errno, std::generic_category(), "laio_event_attach");
}

laio_calls::~laio_calls() {
    laio_event_detach(loop_.base());
    laio_fini();
}

outcome laio_calls::wait_for(task &who, step next, void *state) { return pool_.take(*this).wait_for(who, next, state); }

} // namespace httpd
