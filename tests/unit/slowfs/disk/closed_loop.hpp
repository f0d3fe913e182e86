// A disk that always has as many accesses as told, for so many in all: whoever gets one back sends the next at once. No time
// passes but the disk's.
#pragma once

#include "disk/disk.hpp"

#include <functional>
#include <random>
#include <stdexcept>

namespace slowfs::test {

struct outcome {
    double seconds = 0; // until the last one ended
    double mean_latency_s = 0;
    double accesses = 0;
    [[nodiscard]] double per_second() const { return accesses / seconds; }
};

inline outcome run_closed_loop(disk &below, std::size_t deep, std::size_t accesses,
                               const std::function<place()> &next) {
    std::vector<nanoseconds> begun(deep);
    for (std::uint32_t i = 0; i < deep; ++i) below.submit(next(), i, nanoseconds::zero());
    outcome seen;
    nanoseconds last{0};
    nanoseconds together{0};
    for (std::size_t submitted = deep, done = 0; done < accesses; ++done) {
        const auto one = below.take_finished(nanoseconds::max());
        if (!one) throw std::logic_error("the disk has lost an access");
        if (one->at < last) throw std::logic_error("the disk goes back in time");
        last = one->at;
        together += one->at - begun[one->ticket];
        begun[one->ticket] = one->at;
        if (submitted++ < accesses) below.submit(next(), one->ticket, one->at);
    }
    seen.seconds = std::chrono::duration<double>(last).count();
    seen.accesses = static_cast<double>(accesses);
    seen.mean_latency_s = std::chrono::duration<double>(together).count() / seen.accesses;
    return seen;
}

// Blocks anywhere on so many bytes, by seed.
class random_places {
public:
    random_places(std::uint64_t span_bytes, std::uint32_t bytes, std::uint64_t seed = 1)
        : random_(seed), which_(0, span_bytes / bytes - 1), bytes_(bytes) {}
    place operator()() { return {which_(random_) * bytes_, bytes_}; }

private:
    std::mt19937_64 random_;
    std::uniform_int_distribution<std::uint64_t> which_;
    std::uint32_t bytes_;
};

} // namespace slowfs::test
