// Carriers with a bound of the test's choice, and the calls that are given to them.
#pragma once

#include "engines/by_hand.hpp"
#include "engines/carriers.hpp"

#include <sys/eventfd.h>

namespace laio::test {

struct bounds {
    std::uint32_t max = 64;
    std::uint32_t hard_max = 1024;
    std::uint32_t idle_ms = 600'000;
};

class carriers_by_hand {
public:
    explicit carriers_by_hand(bounds of) : alarm_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        laio_options options{};
        options.carriers_max = of.max;
        options.carriers_hard_max = of.hard_max;
        options.carrier_idle_ms = of.idle_ms;
        opened = carriers_.open(options, alarm_.get());
    }
    carriers_by_hand(const carriers_by_hand &) = delete;
    carriers_by_hand &operator=(const carriers_by_hand &) = delete;
    // Ends what is still there, as a loop does.
    ~carriers_by_hand() {
        for (operation *op : running_) carriers_.cancel(*op) ? void(++ended_) : void();
        while (ended_ < running_.size() && collect() > 0) {}
        carriers_.stop();
    }

    operation &start(long number, std::initializer_list<long> arguments = {}) {
        operation &op = made.make(number, arguments);
        begin(op);
        return op;
    }
    int begin(operation &op) {
        const int r = carriers_.start(op);
        if (r == 0) running_.push_back(&op);
        return r;
    }
    // A call that blocks until something is put into the pipe.
    operation &block_on(const ends &pipe) { return start(SYS_read, {pipe.reader.get(), word(&dropped_), 1}); }
    operation &write_letter(const ends &to, const char *letter) {
        return start(SYS_write, {to.writer.get(), word(letter), 1});
    }

    // Waits until something is handed in; how many, 0: nothing came.
    std::size_t collect() {
        if (!carriers_.has_handed_in() && !becomes_readable(alarm_.get())) return 0;
        const std::uint64_t rings = read_alarm();
        return take() + (rings > 0 ? 1 : 0);
    }
    // How often it has rung since it was read.
    std::uint64_t read_alarm() {
        std::uint64_t rings = 0;
        return read(alarm_.get(), &rings, sizeof rings) > 0 ? rings : 0;
    }
    // What is handed in now; how many.
    std::size_t take() {
        operation_list handed_in;
        carriers_.collect(handed_in);
        const given some = made.take(handed_in);
        order.insert(order.end(), some.begin(), some.end());
        ended_ += some.size();
        return some.size();
    }
    // Until this many have been handed in altogether.
    bool collect_up_to(std::size_t count) {
        while (order.size() < count)
            if (collect() == 0) return false;
        return true;
    }

    // A carrier has it, and makes the call or is about to.
    static bool is_taken(const operation &op) {
        return comes_true([&] { return op.runner.load() != 0; });
    }
    bool cancel(operation &op) {
        const bool here = carriers_.cancel(op);
        if (here) running_.erase(std::find(running_.begin(), running_.end(), &op));
        return here;
    }

    [[nodiscard]] struct laio_stats stats() const {
        struct laio_stats all {};
        carriers_.count(all);
        return all;
    }
    [[nodiscard]] int alarm() const { return alarm_.get(); }
    carriers &engine() { return carriers_; }

    int opened = 0;
    operations made;
    given order; // in which they were handed in

private:
    descriptor alarm_;
    carriers carriers_;
    std::vector<operation *> running_;
    std::size_t ended_ = 0;
    char dropped_ = 0;
};

} // namespace laio::test
