// A task: what the event loop runs for a connection, for the listener, for signals. It makes one call at a time; while
// that call is in the background the task waits, and it must not be destroyed: buffers of it belong to the call.
#pragma once

#include <laio/laio.h>

#include <boost/intrusive/list_hook.hpp>

#include <cerrno>
#include <cstdint>

namespace httpd {

// What came of a system call: its value, or -1 and the error; EINPROGRESS: it is in the background.
struct outcome {
    long value = 0;
    int error = 0;

    bool in_background() const { return error == EINPROGRESS; }
    bool failed() const { return value < 0; }
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
};
inline constexpr int deadlines = 7;

class task {
public:
    task() = default;
    task(const task &) = delete;
    task &operator=(const task &) = delete;
    virtual ~task() = default;

    virtual void completed(outcome result) = 0; // its call in the background ended
    virtual void deadline_passed() {} // the deadline is no longer armed; a call may still be in the background
    virtual void turn() {}            // it asked for one: event_loop::run_later()

private:
    friend class event_loop;
    template <typename... arguments> friend outcome call(task &who, long number, arguments... args);
    using hook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

    laio_handle_t handle_ = nullptr; // of the call in the background
    hook run_hook_;
    hook deadline_hook_;
    deadline deadline_kind_ = deadline::idle; // while deadline_hook_ is linked
    std::int64_t deadline_ns_ = 0;
};

} // namespace httpd
