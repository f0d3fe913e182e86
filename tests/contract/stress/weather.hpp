// What disturbs the loops while they run: a thread that wants the CPU, one that moves the process's threads from CPU to CPU, and
// two signals to the process, one that restarts calls and one that does not.
//
// The threads have every signal blocked; those that are to get the signals let them through (let_signals_in). Made and ended
// by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>
#include <thread>

namespace laio::test {

class weather {
public:
    explicit weather(std::uint64_t seed);
    ~weather();
    weather(const weather &) = delete;
    weather &operator=(const weather &) = delete;

    static void let_signals_in();
    static void keep_signals_out();
    [[nodiscard]] static unsigned signals_seen();

private:
    void hog(std::uint64_t seed) const;
    void move_threads(std::uint64_t seed) const;

    std::atomic<bool> is_over_{false};
    timer_t restarting_{};
    timer_t ending_{};
    std::thread hog_;
    std::thread mover_;
};

} // namespace laio::test
