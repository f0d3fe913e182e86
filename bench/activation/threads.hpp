// The CPU time of the library's threads, which have names of their own (laio-sentinel, laio-watchdog, laio-carrier,
// laio-home), by the scheduler's own count in nanoseconds.
#pragma once

#include <map>
#include <string>

namespace laio::bench {

// Nanoseconds by name; threads of one name are summed up. What a thread has that ended meanwhile is lost.
using thread_times = std::map<std::string, double>;

// But for the one that carries the caller, while its own is left behind in a call, and for the first one. Empty if the
// kernel does not count (/proc/self/task/TID/schedstat).
thread_times library_threads_now();

// after - before, name by name.
thread_times spent(const thread_times &before, const thread_times &after);
double sum(const thread_times &times);

double thread_cpu_ns();  // the calling thread's
double process_cpu_ns(); // of all threads, also of those that have ended
double wall_ns();

// Sleeps as a program does by itself, behind the library's back.
void sleep_until_ns(double wall);

} // namespace laio::bench
