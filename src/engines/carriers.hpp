// Carriers: kernel threads that make the calls which can only block. A bounded number of them, made when a call waits and
// none is idle, kept for a while when idle, with small stacks and every signal blocked but the cancel signal.
//
// When all are taken calls queue, first come first served. When the queue has not moved on for 100 ms the bound is
// exceeded, one carrier at a time up to a hard bound: they may all wait for what the queued call would release.
// The loop's thread starts and collects without a lock, so that a carrier which was preempted at a bad moment holds nobody
// up; only cancelling takes the lock under which the carriers share the queue.
// Lost: a condition variable, whose signal may wait for the threads that it wakes; a bound that is hard from the start.
#pragma once

#include "engines/engine.hpp"
#include "laio/laio.h"

#include <atomic>
#include <cstdint>
#include <pthread.h>
#include <semaphore.h>

namespace laio {

class carriers {
public:
    carriers();
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
    [[nodiscard]] int cancel_signal() const { return signal_; }

    // For another engine's threads. Threads of its own count among carriers_max: lend() says whether one more may be made.
    bool lend();
    void take_back_lent() { lent_.fetch_sub(1); } // any thread
    void hand_in(operation &op);                  // the result is set; rings the alarm
    bool help();                                  // makes a call that waits for a carrier. False: none does
    [[nodiscard]] bool wants_help() const { return depth_.load() > idle_.load(); }

    [[nodiscard]] bool has_handed_in() const { return handed_in_.load(std::memory_order_relaxed) != nullptr; }

    // More calls wait than carriers are idle: then look_at_queue() should be called after patience_ns, and again after what it
    // returns, as long as this is so.
    [[nodiscard]] bool is_full() const;
    std::int64_t look_at_queue();
    static constexpr std::int64_t patience_ns = 100'000'000;

    void count(struct laio_stats &stats) const;

private:
    struct carrier;

    static void *run(void *argument);
    void serve(carrier &me);
    bool wait_for_work();
    void serve_one();
    [[nodiscard]] std::uint32_t bound() const; // how many of our own there may be without a queue that stands still
    bool leave(std::uint32_t least);
    operation *take();
    bool take_back(operation &op);
    void fill_queue();
    static void make_call(operation &op);
    int add();
    static bool join(carrier &one);
    void free_retired();

    // shared with the carriers
    sem_t work_;                                  // one for each operation in the inbox or the queue
    std::atomic<operation *> inbox_{nullptr};     // from the loop's thread, the latest first
    std::atomic<operation *> handed_in_{nullptr}; // to it, likewise
    std::atomic<carrier *> retired_{nullptr};     // ended by themselves, to be joined by the next that does
    std::atomic<carrier *> joined_{nullptr};      // to be freed
    std::atomic<std::uint32_t> alive_{0};
    std::atomic<std::uint32_t> idle_{0};
    std::atomic<std::uint32_t> lent_{0};
    std::atomic<std::uint64_t> depth_{0}; // in the inbox or the queue
    std::atomic<std::uint64_t> taken_{0}; // ever, out of the queue
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> waited_ns_{0};
    std::atomic<std::uint64_t> waited_max_ns_{0};
    pthread_mutex_t lock_ = PTHREAD_MUTEX_INITIALIZER;
    operation_list queue_; // under the lock; behind it comes what is in the inbox

    // the loop's thread only
    carrier *all_ = nullptr;
    int alarm_ = -1;
    int signal_ = 0;
    std::uint32_t max_ = 0;
    std::uint32_t hard_max_ = 0;
    std::uint32_t idle_ms_ = 0;
    std::uint64_t taken_before_ = 0; // at the last look at the queue
    std::uint64_t depth_peak_ = 0;
    std::uint64_t created_ = 0;
    std::uint64_t peak_ = 0;
    std::uint64_t started_ = 0;
};

static_assert(engine<carriers>);

} // namespace laio
