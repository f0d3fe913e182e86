// A run: players on one loop (epoll, one thread), from the start to the end of the load, of a given time, or to a signal
// that asks to stop. The load is the first player; the others, probes, end with it. They have their turn first, and their
// connections before the run starts.
#pragma once

#include "client/cpu_use.hpp"
#include "client/player.hpp"
#include "client/stop_request.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace replay {

struct run_options {
    std::optional<std::chrono::nanoseconds> duration{};
    double middle_percent = 80;                                  // of the time: what the CPU is judged by
    std::chrono::nanoseconds timeout = std::chrono::seconds(30); // without progress in a request
    std::chrono::nanoseconds tell_every = std::chrono::seconds(1);
    std::function<void(std::chrono::nanoseconds)> tell{}; // how it goes, with the time since the start
    const stop_request *stop = nullptr;
};

struct run_result {
    std::chrono::nanoseconds elapsed{0};
    cpu_share cpu; // of the middle
    bool interrupted = false;
};

// Owns the epoll descriptor and the memory that is received into. std::system_error if there is none to be had.
class run {
public:
    run();
    run(const run &) = delete;
    run &operator=(const run &) = delete;
    ~run();

    // Puts what connections need of the run into what they share.
    void equip(server_view &server);
    // The players' connections end before the run does.
    run_result play(const std::vector<player *> &players, const run_options &options);

private:
    void connect(const std::vector<player *> &players, const run_options &options);
    void wait(steady_time until);

    int epoll_;
    std::vector<char> scratch_;
};

} // namespace replay
