// A ring of the test's choice. Without io_uring a test that needs it is skipped, and says why.
#pragma once

#include "engines/by_hand.hpp"
#include "engines/ring.hpp"

#include <cstring>
#include <sys/eventfd.h>

namespace laio::test {

class ring_by_hand {
public:
    explicit ring_by_hand(std::uint32_t entries = 256, std::uint32_t forbid = 0)
        : alarm_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        laio_options options{};
        options.ring_entries = entries;
        options.forbid = forbid;
        opened = ring_.open(options, alarm_.get());
    }
    ring_by_hand(const ring_by_hand &) = delete;
    ring_by_hand &operator=(const ring_by_hand &) = delete;

    ring *operator->() { return &ring_; }

    operation &start(long number, std::initializer_list<long> arguments) {
        operation &op = made.make(number, arguments);
        EXPECT_EQ(ring_.start(op), 0);
        return op;
    }
    operation &read_byte(const ends &from) { return start(SYS_read, {from.reader.get(), word(&byte_), 1}); }

    // What is complete now.
    given collect() {
        operation_list complete;
        ring_.collect(complete);
        given some = made.take(complete);
        order.insert(order.end(), some.begin(), some.end());
        return some;
    }
    // Until this many have been given back altogether.
    bool collect_up_to(std::size_t count) {
        const timespec limit{hang_s, 0};
        while (order.size() < count) {
            if (!collect().empty()) continue;
            const int r = ring_.sleep(&limit);
            if (r != 0 && r != -EINTR) return false;
        }
        return true;
    }
    [[nodiscard]] int alarm() const { return alarm_.get(); }
    std::uint64_t read_alarm() {
        std::uint64_t rings = 0;
        return read(alarm_.get(), &rings, sizeof rings) > 0 ? rings : 0;
    }

    int opened = 0;
    operations made;
    given order; // in which they were given back

private:
    descriptor alarm_;
    char byte_ = 0;
    ring ring_; // ends before its operations do
};

// Why a test cannot be made, or nullptr.
inline const char *no_ring() {
    static const int error = ring_by_hand(1).opened;
    return error == 0 ? nullptr : std::strerror(-error);
}

} // namespace laio::test
