// A task: what the event loop runs for a connection, for the listener, for signals. It asks a strategy (net/, disk/) for
// one thing at a time; while that is in the background the task waits, and it must not be destroyed: what it gave by
// reference belongs to the strategy until completed().
#pragma once

#include <boost/intrusive/list_hook.hpp>

#include <cerrno>
#include <cstdint>

namespace httpd {

class event_loop;
class task;

// What came of what was asked for: a value as a system call gives it, or -1 and the error; EINPROGRESS: it is in the
// background.
struct outcome {
    long value = 0;
    int error = 0;

    static outcome failure(int error) { return {-1, error}; }
    // Of a call by the C library: negative, and the error in errno; of one by the kernel: the error itself, negative.
    static outcome of_library(long value) { return value < 0 ? failure(errno) : outcome{value, 0}; }
    static outcome of_kernel(long value) { return value < 0 ? failure(static_cast<int>(-value)) : outcome{value, 0}; }
    static outcome later() { return {-1, EINPROGRESS}; }
    bool in_background() const { return error == EINPROGRESS; }
    bool failed() const { return value < 0; }
};

// What a task waits for: a strategy keeps there what it has to know until it can tell the outcome.
class background_work {
public:
    background_work(const background_work &) = delete;
    background_work &operator=(const background_work &) = delete;

    // Asks for its end. The outcome says what became of it, from the loop and not from here.
    virtual void cancel() = 0;

protected:
    background_work() = default;
    ~background_work() = default;

    outcome begin(task &who);    // from now on `who` waits for this
    void forget();               // the task goes on without being told: its strategy makes the next step for it
    void finish(outcome result); // tells the task, as the last thing done with this: it may be used again by then
    task *who_ = nullptr;
};

// How long something may take. A task has at most one deadline at a time.
enum class deadline {
    idle,         // until a request begins
    head,         // from there until all of it is here
    send,         // until the peer has taken one chunk
    linger,       // for the peer to read our last answer and close
    accept_retry, // after an accept that failed for want of something
    drain,        // from the signal to stop until what still runs is cut off
    grace,        // then for the calls cut off to end
    upkeep,       // until the caches are looked through again
};
inline constexpr int deadlines = 8;

class task {
public:
    task() = default;
    task(const task &) = delete;
    task &operator=(const task &) = delete;
    virtual ~task() = default;

    virtual void completed(outcome result) = 0; // of what was in the background
    virtual void deadline_passed() {} // the deadline is no longer armed; something may still be in the background
    virtual void turn() {}            // it asked for one: event_loop::run_later()

    // Asks for the end of what is in the background, if anything is; completed() will say what became of it.
    void cancel() {
        if (waits_for_ != nullptr) waits_for_->cancel();
    }

private:
    friend class event_loop;
    friend class background_work;
    using hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

    background_work *waits_for_ = nullptr;
    hook run_hook_;
    hook deadline_hook_;
    deadline deadline_kind_ = deadline::idle; // while deadline_hook_ is linked
    std::int64_t deadline_ns_ = 0;
};

inline outcome background_work::begin(task &who) {
    who_ = &who;
    who.waits_for_ = this;
    return outcome::later();
}

inline void background_work::forget() {
    who_->waits_for_ = nullptr;
    who_ = nullptr;
}

inline void background_work::finish(outcome result) {
    task &who = *who_;
    forget();
    who.completed(result);
}

} // namespace httpd
