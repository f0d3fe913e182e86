// Which loop a thread has: made at its first call or by laio_init(), ended by laio_fini() or by the thread's end, and
// given up in the child of a fork.
//
// A fork is noticed by a page that the kernel clears in the child (MADV_WIPEONFORK): a loop carries the number that stood
// there when it was made. Lost: pthread_atfork(3), which does not hear of fork by syscall(2); and getpid(2) at every call.
#pragma once

#include "laio/laio.h"

namespace laio {

class loop;

struct thread_state {
    loop *its_loop;
    unsigned process_number; // of the process that the loop was made in
};

extern constinit thread_local thread_state this_thread;
extern const volatile unsigned *process_number;

// The thread's loop, or nullptr: it has none in this process.
inline loop *current_loop() {
    loop *its = this_thread.its_loop;
    return its != nullptr && this_thread.process_number == *process_number ? its : nullptr;
}

// Makes one with these options (nullptr: the defaults). 0 or a negative errno; -EALREADY.
int make_loop(const laio_options *options);

// Ends it, if there is one. Waits for what cannot be cancelled. The thread goes on, or is about to end.
void end_loop(bool goes_on);

// The options as they count: every member set. 0 or -EINVAL.
int complete_options(const laio_options *given, laio_options &complete);

} // namespace laio
