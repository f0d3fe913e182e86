// A disk of N channels, each of which serves one access at a time, in the order of their coming, and takes for it a latency
// drawn from a log-normal distribution (or a fixed one: no deviation), and the transfer. When an access will be finished is
// known when it comes, so there is no queue but the list of ends.
// Deterministic: the same accesses at the same times with the same seed end at the same times.
#pragma once

#include "disk.hpp"

#include <queue>
#include <random>

namespace slowfs {

enum class channel_choice : std::uint8_t { least_busy, by_address };

// By default some 4,000 reads of 64 KB a second, as of a volume across a network: what is faster than that would be as fast as
// FUSE is, and no slow disk.
struct flash_parameters {
    std::uint32_t channels = 8;
    nanoseconds latency = std::chrono::milliseconds(1); // the mean
    double deviation = 0.3;                             // of the latency's logarithm; 0: it is the same for all
    std::uint64_t rate = 64'000'000;                    // bytes a second of each channel
    channel_choice choice = channel_choice::least_busy;
    std::uint64_t stripe_bytes = 65536; // by_address: so much stands together on a channel
    std::uint64_t seed = 1;
};

class flash_disk : public disk {
public:
    explicit flash_disk(const flash_parameters &parameters);

    void submit(const place &where, std::uint32_t ticket, nanoseconds at) override;
    std::optional<nanoseconds> next_finish() override;
    std::optional<finished_access> take_finished(nanoseconds by) override;
    [[nodiscard]] disk_activity activity(nanoseconds at) const override;

private:
    struct later {
        bool operator()(const finished_access &a, const finished_access &b) const { return a.at > b.at; }
    };
    [[nodiscard]] std::size_t choose(const place &where) const;
    nanoseconds draw_latency();

    flash_parameters parameters_;
    std::mt19937_64 random_;
    std::lognormal_distribution<double> latency_ns_;
    std::vector<nanoseconds> free_at_; // by channel
    std::priority_queue<finished_access, std::vector<finished_access>, later> ends_;
    disk_activity activity_; // busy: with what has still to come
};

} // namespace slowfs
