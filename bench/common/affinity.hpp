// Which CPUs the threads of this process may run on. All threads are set one by one, because a library that measures
// against us (glibc's POSIX AIO) keeps threads of its own, whose CPUs are those of the thread that once made them.
#pragma once

#include <sched.h>

namespace laio::bench {

class affinity {
public:
    affinity(); // remembers what the process was allowed when it started

    [[nodiscard]] int highest_cpu() const;
    [[nodiscard]] int count() const;
    [[nodiscard]] bool allows(int cpu) const;

    void pin(int cpu) const; // every thread that there is, to one CPU
    void release() const;    // every thread, to all that was allowed at first

private:
    cpu_set_t allowed_;
};

} // namespace laio::bench
