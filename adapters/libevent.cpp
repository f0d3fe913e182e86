// The libevent adapter: hands the completions of a thread's background calls to its event_base.
// Owns: one attachment per thread (which base, the event that watches laio_fd(), the list of added events), and the list
// of who has attached what. Memory of struct laio_event is the client's.
// Invariants: an event is in its attachment's list, and is the laio_data of its handle, exactly while it is added; the
// watch is registered only while that list has an event (or a turn is under way), so that an idle base can end.
// Threads: all but the list of owners belongs to the thread that attached. Needs no C++ run-time library, as laio does.
// Lost alternative: fetching completions in arrays. A continuation may then cancel, delete or finalize an event whose
// completion was already taken, whose handle is free and perhaps another call's by now. One at a time, what has not been
// delivered is still laio's, and a loop that breaks off leaves the rest where it was.
#include <laio/libevent.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <event2/event.h>
#include <pthread.h>

namespace {

// Completions per turn of the base; the descriptor stays readable, so the rest follow after the base's other events.
constexpr int batch_max = 64;

enum event_state : unsigned {
    state_added = 1,
    state_expired = 2,    // its timeout has cancelled the call
    state_finalizing = 4, // function is the one given to laio_event_finalize()
    state_timed = 8,      // its timer was added
};

struct attachment {
    event_base *base; // NULL: none
    laio_event *events;
    event watch;
    bool watching;
    bool in_turn;
    unsigned generation; // tells a turn that a continuation has detached the base
    attachment *next;    // among the owners
};

// Made at a thread's first attach, kept until its end.
thread_local attachment *here = nullptr;

int fail(int error) {
    errno = error;
    return -1;
}

// ---- Who has attached what: one base to one thread ------------------------------------------------------------------

pthread_mutex_t owners_mutex = PTHREAD_MUTEX_INITIALIZER;
attachment *owners = nullptr;
pthread_once_t owners_once = PTHREAD_ONCE_INIT;
pthread_key_t thread_end;

void lock_owners() { pthread_mutex_lock(&owners_mutex); }
void unlock_owners() { pthread_mutex_unlock(&owners_mutex); }

int claim(attachment &self, event_base *base) {
    lock_owners();
    bool taken = false;
    for (const auto *other = owners; other != nullptr; other = other->next) taken = taken || other->base == base;
    if (!taken) {
        self.base = base;
        self.next = owners;
        owners = &self;
    }
    unlock_owners();
    return taken ? fail(EBUSY) : 0;
}

void disclaim(attachment &self) {
    lock_owners();
    for (auto **link = &owners; *link != nullptr; link = &(*link)->next) {
        if (*link == &self) {
            *link = self.next;
            break;
        }
    }
    unlock_owners();
    self.base = nullptr;
    ++self.generation;
}

// A thread that ends attached. Its base may be gone or may outlive it, so nothing of the base is touched; and an
// attachment that it may still watch with is left behind rather than freed under it.
void end_thread(void *arg) {
    auto *self = static_cast<attachment *>(arg);
    here = nullptr;
    if (self->base != nullptr) disclaim(*self);
    if (!self->watching) std::free(self);
}

// The child of a fork() has only the thread that made it.
void begin_child() {
    owners = here != nullptr && here->base != nullptr ? here : nullptr;
    if (owners != nullptr) owners->next = nullptr;
    unlock_owners();
}

void prepare_process() {
    if (pthread_key_create(&thread_end, end_thread) != 0 ||
        pthread_atfork(lock_owners, unlock_owners, begin_child) != 0) {
        std::fputs("laio_event: no memory at the first attach\n", stderr);
        std::abort();
    }
}

attachment *prepare_thread() {
    pthread_once(&owners_once, prepare_process);
    if (here == nullptr) {
        auto *self = static_cast<attachment *>(std::calloc(1, sizeof(attachment)));
        if (self == nullptr || pthread_setspecific(thread_end, self) != 0) {
            std::free(self);
            errno = ENOMEM;
            return nullptr;
        }
        here = self;
    }
    return here;
}

// ---- Events ---------------------------------------------------------------------------------------------------------

bool is_mine(const laio_event &event) { return here != nullptr && here->base != nullptr && event.base == here->base; }

// A base that another thread runs would fetch that thread's completions, or none, for ever. There is nobody to whom an
// error could be returned.
void require_home(const attachment *self) {
    if (self == nullptr || self != here) {
        std::fputs("laio_event: a base is run by a thread that did not attach it\n", stderr);
        std::abort();
    }
}

void link_event(attachment &self, laio_event &event) {
    event.next = self.events;
    event.link = &self.events;
    if (event.next != nullptr) event.next->link = &event.next;
    self.events = &event;
    event.state = state_added;
}

void stop_timer(laio_event &event) {
    if ((event.state & state_timed) != 0) event_del(&event.timer);
    event.state &= ~state_timed;
}

void unlink_event(laio_event &event) {
    *event.link = event.next;
    if (event.next != nullptr) event.next->link = event.link;
    stop_timer(event);
    event.state = 0;
}

// Hands the result over. The event is the client's again before its function runs, which may free it.
void finish(laio_event &event, long return_value, int error) {
    if (error == ECANCELED && (event.state & state_expired) != 0) error = ETIMEDOUT;
    unlink_event(event);
    event.function(event.arg, return_value, error);
}

// Deletes an added event; the call's completion will find no event and be dropped.
void forget(laio_event &event) {
    laio_setdata(event.handle, nullptr);
    laio_cancel(event.handle);
    unlink_event(event);
}

// ---- The watch on laio_fd() -----------------------------------------------------------------------------------------

// Stops watching when no event is added; in a turn that waits for the turn's end, because the next continuation is
// likely to add one, and each change costs an epoll_ctl().
void rest(attachment &self) {
    if (self.watching && !self.in_turn && self.events == nullptr) {
        event_del(&self.watch);
        self.watching = false;
    }
}

void hand_over(evutil_socket_t /*fd*/, short /*what*/, void *arg) {
    auto &self = *static_cast<attachment *>(arg);
    require_home(&self);
    const auto generation = self.generation;
    self.in_turn = true;
    for (int i = 0; i < batch_max; ++i) {
        laio_completion completion{};
        const timespec no_time{};
        if (laio_poll(&completion, 1, &no_time) != 1)
            break; // nothing complete, or EINTR: the descriptor stays readable for what there is
        if (completion.laio_data != nullptr)
            finish(*static_cast<laio_event *>(completion.laio_data), completion.laio_return_value,
                   completion.laio_errno);
        if (self.generation != generation) return;
        if (event_base_got_break(self.base) != 0) break;
    }
    self.in_turn = false;
    rest(self);
}

int watch(attachment &self) {
    if (self.watching) return 0;
    const int fd = laio_fd(); // asked anew: laio_fini() and fork() change it
    if (fd < 0) return -1;
    errno = 0;
    if (event_assign(&self.watch, self.base, fd, EV_READ | EV_PERSIST, hand_over, &self) != 0 ||
        event_add(&self.watch, nullptr) != 0)
        return fail(errno != 0 ? errno : ENOMEM);
    self.watching = true;
    return 0;
}

void expire(evutil_socket_t /*fd*/, short /*what*/, void *arg) {
    auto &event = *static_cast<laio_event *>(arg);
    if (!is_mine(event)) require_home(nullptr);
    if ((event.state & state_finalizing) == 0) event.state |= state_expired;
    if (laio_cancel(event.handle) == 0) return; // its completion follows
    // No such call any more: somebody else fetched its completion. The continuation is owed all the same.
    finish(event, -1, ECANCELED);
    rest(*here);
}

bool is_valid(const timeval &time) { return time.tv_sec >= 0 && time.tv_usec >= 0 && time.tv_usec < 1000000; }

int set_timeout(laio_event &event, const timeval &timeout) {
    errno = 0;
    if (event_add(&event.timer, &timeout) != 0) return fail(errno != 0 ? errno : ENOMEM);
    event.state |= state_timed;
    return 0;
}

} // namespace

// ---- The interface --------------------------------------------------------------------------------------------------

extern "C" int laio_event_attach(event_base *base) {
    if (base == nullptr) return fail(EINVAL);
    auto *self = prepare_thread();
    if (self == nullptr) return -1;
    if (self->base == base) return 0;
    if (self->base != nullptr) return fail(EBUSY);
    if (laio_fd() < 0) return -1;
    return claim(*self, base);
}

extern "C" int laio_event_detach(event_base *base) {
    if (base == nullptr || here == nullptr || here->base != base) return fail(EINVAL);
    auto &self = *here;
    while (self.events != nullptr) forget(*self.events);
    self.in_turn = false;
    rest(self);
    disclaim(self);
    return 0;
}

extern "C" void laio_event_assign(laio_event *event, event_base *base, laio_handle_t handle, laio_event_fn function,
                                  void *arg) {
    *event = laio_event{};
    event->base = base;
    event->handle = handle;
    event->function = function;
    event->arg = arg;
    if (base != nullptr) evtimer_assign(&event->timer, base, expire, event);
}

extern "C" int laio_event_add(laio_event *event, const timeval *timeout) {
    if (event == nullptr || event->function == nullptr || (timeout != nullptr && !is_valid(*timeout)))
        return fail(EINVAL);
    if (!is_mine(*event)) return fail(EPERM);
    if ((event->state & state_finalizing) != 0) return fail(EBUSY);
    if ((event->state & state_added) != 0) return timeout == nullptr ? 0 : set_timeout(*event, *timeout);

    if (laio_setdata(event->handle, event) != 0) return -1;
    if (watch(*here) == 0) {
        link_event(*here, *event);
        if (timeout == nullptr || set_timeout(*event, *timeout) == 0) return 0;
        const int error = errno;
        unlink_event(*event);
        errno = error;
    }
    const int error = errno;
    laio_setdata(event->handle, nullptr);
    rest(*here);
    return fail(error);
}

extern "C" int laio_event_del(laio_event *event) {
    if (event == nullptr) return fail(EINVAL);
    if ((event->state & state_added) == 0) return 0;
    if (!is_mine(*event)) return fail(EPERM);
    forget(*event);
    rest(*here);
    return 0;
}

extern "C" int laio_event_finalize(laio_event *event, laio_event_fn function) {
    if (event == nullptr || function == nullptr) return fail(EINVAL);
    if ((event->state & state_added) == 0) return fail(ENOENT);
    if (!is_mine(*event)) return fail(EPERM);
    stop_timer(*event);
    event->function = function;
    event->state = state_added | state_finalizing;
    if (laio_cancel(event->handle) == 0) return 0;
    const timeval at_once{};
    return set_timeout(*event, at_once); // no such call any more: expire() calls the function from the loop
}

extern "C" int laio_event_pending(const laio_event *event) {
    return event != nullptr && (event->state & state_added) != 0 ? 1 : 0;
}
