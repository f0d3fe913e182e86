// Carriers: kernel threads that make the calls which can only block. A bounded number of them, made when a call waits and
// none is idle, kept for a while when idle, with small stacks and every signal blocked but the cancel signal.
//
// When all are taken calls queue, first come first served. When the first in the queue has waited for 100 ms the bound is
// exceeded, one carrier at a time up to a hard bound: they may all wait for what the queued call would release.
// The loop's thread starts, cancels and collects; carriers take and hand in. Under the lock: the queue and the counts.
// Lost: a carrier a call, without a bound; and a bound that is hard from the start, which can lock up for ever.
#pragma once

#include "engines/engine.hpp"
#include "laio/laio.h"

#include <atomic>
#include <cstdint>
#include <pthread.h>

namespace laio {

class carriers {
public:
    carriers() = default;
    ~carriers();
    carriers(const carriers &) = delete;
    carriers &operator=(const carriers &) = delete;

    // 0 or a negative errno. No thread is made yet.
    int open(const laio_options &options, int alarm);
    void stop();    // every operation has come back; ends and joins the threads
    void abandon(); // in the child of a fork, where there are no such threads

    int start(operation &op); // -EAGAIN or -ENOMEM: not one thread to be had
    bool cancel(operation &op);
    void collect(operation_list &handed_in);
    [[nodiscard]] bool has_handed_in() const { return handed_in_.load(std::memory_order_relaxed) != nullptr; }

    // When the queue has to be looked at again, by CLOCK_MONOTONIC; 0: no need. And the looking.
    [[nodiscard]] std::int64_t next_look_ns();
    void look_at_queue();

    void count(struct laio_stats &stats);

private:
    struct carrier;

    static void *run(void *argument);
    void serve(carrier &me);
    operation *take(carrier &me);
    void make_call(operation &op);
    void hand_in(operation &op);
    int add();
    void join_retired();

    pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t work_{};
    operation_list queue_;
    carrier *retired_ = nullptr; // ended by themselves, to be joined
    std::uint32_t alive_ = 0;
    std::uint32_t idle_ = 0;
    bool stopping_ = false;
    std::uint64_t depth_ = 0;
    std::uint64_t depth_peak_ = 0;
    std::uint64_t waited_ns_ = 0;
    std::uint64_t waited_max_ns_ = 0;
    std::int64_t last_added_ns_ = 0;

    std::atomic<operation *> handed_in_{nullptr}; // the latest first
    carrier *all_ = nullptr;                      // the loop's
    int alarm_ = -1;
    int signal_ = 0;
    std::uint32_t max_ = 0;
    std::uint32_t hard_max_ = 0;
    std::uint32_t idle_ms_ = 0;
    std::uint64_t created_ = 0;
    std::uint64_t peak_ = 0;
    std::uint64_t started_ = 0;
};

static_assert(engine<carriers>);

} // namespace laio
