// Two kernel threads and one application, which is the test: it is carried by home, the test's own thread, and by the carrier.
// What the assembly calls is here, and only notes what it was called for; a thread that lost its call or was left rests until it is told
// to resume the application.
#pragma once

#include "engines/activation/guest.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

extern "C" {
long laio_activation_syscall(long number, long, long, long, long, long, long);
long laio_activation_call(laio::guest *, long number, const long *arguments);
long call_with_registers(laio::guest *, long number, const long *arguments, std::uint64_t *values);
}

namespace laio::test {

#if defined(__x86_64__)
constexpr int kept_registers = 6;
#else
constexpr int kept_registers = 18;
#endif

// What the assembly called.
struct record {
    int woken;
    std::uintptr_t woken_on; // the thread pointer then
    long failed;             // the error
    long words[7];           // of a claimed call that was made by laio_activation_syscall()
    int claimed;
    std::vector<const void *> callers; // at the latest of these two: the functions on the stack
};
inline record seen;

std::string why_not(); // the machine has not what the assembly needs

class stage {
public:
    stage();
    ~stage();
    stage(const stage &) = delete;
    stage &operator=(const stage &) = delete;

    guest &home() { return home_; }
    [[nodiscard]] bool is_lost() const { return lost_.load(); }            // home's call was claimed, and is over
    [[nodiscard]] bool lost_on_own_thread_pointer() const { return own_; } // and then it had its own thread pointer

    // The next call of home's is claimed as soon as it is over: as if it had been while it was made.
    void claim_next();
    void withdraw_next(); // a claim of it is put up, and not confirmed
    void claim_blocked(); // as soon as home is in a call, it is claimed
    void go_home();       // when the call is lost

    void lose(guest &me);

private:
    void claim();
    [[noreturn]] void rest(guest &me);

    guest home_{};
    guest carrier_{};
    guest **running_ = nullptr; // the application's
    std::atomic<unsigned> asleep_{0};
    std::atomic<bool> lost_{false};
    std::atomic<bool> ends_{false};
    std::atomic<std::uintptr_t> donor_pointer_{0};
    bool own_ = false;
    std::vector<char> stack_;
    std::thread donor_; // whose thread pointer home has for its calls
    std::thread thread_;

public:
    std::atomic<unsigned> &asleep() { return asleep_; }
};

pid_t kernel_thread();
std::uintptr_t thread_pointer();

} // namespace laio::test
