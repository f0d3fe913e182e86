#include "disk/helper_process_disk.hpp"

#include "disk/helper_process.hpp"
#include "loop/libevent_multiplexer.hpp"

#include <event2/event.h>

#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <optional>
#include <system_error>

namespace httpd {

struct helper_process_disk::helper {
    explicit helper(helper_process_disk &owner) : process(owner.root_), disk(owner) {
        event_assign(
            &answer, owner.loop_.base(), process.socket(), EV_READ | EV_PERSIST,
            [](evutil_socket_t, short, void *self) {
                auto &by = *static_cast<helper *>(self);
                by.disk.answered(by);
            },
            this);
        event_add(&answer, nullptr);
    }
    helper(const helper &) = delete;
    helper &operator=(const helper &) = delete;
    ~helper() { event_del(&answer); }

    helper_process process;
    helper_process_disk &disk;
    event answer{};
    std::optional<work> has;
};

helper_process_disk::helper_process_disk(libevent_multiplexer &loop, int root, unsigned processes_max)
    : helped_disk(loop, root), processes_max_(processes_max) {}

helper_process_disk::~helper_process_disk() {
    while (!helpers_.empty()) bury(*helpers_.back());
    for (const pid_t one : killed_) ::waitpid(one, nullptr, 0);
}

void helper_process_disk::send(const errand &what) {
    if (what.name.size() >= PATH_MAX) {
        refused(what, ENAMETOOLONG);
        return;
    }
    queue_.push_back({what});
    hand_out();
}

void helper_process_disk::hand_out() {
    while (!queue_.empty()) {
        auto *one = find_idle();
        if (one == nullptr) break;
        auto next = std::move(queue_.front());
        queue_.pop_front();
        give(*one, std::move(next));
    }
    if (!helpers_.empty()) return; // whoever is ready takes the next
    for (auto &one : std::exchange(queue_, {})) refused(std::move(one.what), start_error_);
}

helper_process_disk::helper *helper_process_disk::find_idle() {
    if (!idle_.empty()) {
        auto *one = idle_.back();
        idle_.pop_back();
        return one;
    }
    if (helpers_.size() >= processes_max_) return nullptr;
    try {
        return helpers_.emplace_back(std::make_unique<helper>(*this)).get();
    } catch (const std::system_error &failure) {
        start_error_ = failure.code().value();
        return nullptr;
    }
}

void helper_process_disk::give(helper &to, work next) {
    const int error = to.process.ask(next.what);
    if (error == 0) {
        to.has = std::move(next);
    } else if (error == EPIPE || error == ECONNRESET) {
        bury(to); // it never had it
        queue_.push_front(std::move(next));
    } else {
        idle_.push_back(&to);
        refused(std::move(next.what), error);
    }
}

void helper_process_disk::answered(helper &by) {
    loop_.woke();
    errand_result result;
    const int error = by.process.answer(result);
    if (error == EAGAIN) return;
    auto had = std::exchange(by.has, std::nullopt);
    if (error == 0 && had) {
        idle_.push_back(&by);
        hand_out(); // before the loop does anything else
        returned(had->what, result);
        return;
    }
    bury(by);
    if (had && ++had->deaths < 2) queue_.push_front(std::move(*had));
    else if (had) refused(std::move(had->what), EIO);
    hand_out();
}

void helper_process_disk::bury(helper &which) {
    killed_.push_back(which.process.pid());
    std::erase(idle_, &which);
    std::erase_if(helpers_, [&](const auto &one) { return one.get() == &which; });
    reap();
}

// Not waiting for who has not ended yet: the next time will do.
void helper_process_disk::reap() {
    std::erase_if(killed_, [](pid_t one) { return ::waitpid(one, nullptr, WNOHANG) != 0; });
}

} // namespace httpd
