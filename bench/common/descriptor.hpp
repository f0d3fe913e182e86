// A file descriptor with an owner. Closed by plain close(2): the benchmarks never close through what they measure.
#pragma once

#include <unistd.h>

#include <utility>

namespace laio::bench {

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) : number_(number) {}
    descriptor(descriptor &&other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor &operator=(descriptor &&other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { reset(); }

    void reset() {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }

    [[nodiscard]] int get() const { return number_; }

private:
    int number_ = -1;
};

} // namespace laio::bench
