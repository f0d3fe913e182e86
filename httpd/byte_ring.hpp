// Bytes on their way from one thread to another: a ring of fixed size with one producer and one consumer, neither of which
// ever waits for the other. Owns the memory. No system calls; what tells the consumer to look is its owner's business.
// A lock round a queue of blocks lost: the thread that must not wait would wait for the one that was just preempted.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace httpd {

class byte_ring {
public:
    explicit byte_ring(std::size_t bytes_min)
        : capacity_(std::bit_ceil(bytes_min)), bytes_(std::make_unique_for_overwrite<char[]>(capacity_)) {}

    std::size_t capacity() const { return capacity_; }

    // The producer: all of it, or, for want of room, nothing.
    bool push(std::string_view bytes) {
        const auto end = end_.load(std::memory_order_relaxed);
        if (capacity_ - (end - begin_.load(std::memory_order_acquire)) < bytes.size()) return false;
        const auto at = end & (capacity_ - 1);
        const auto here = std::min(bytes.size(), capacity_ - at);
        std::copy_n(bytes.data(), here, bytes_.get() + at);
        std::copy_n(bytes.data() + here, bytes.size() - here, bytes_.get());
        end_.store(end + bytes.size(), std::memory_order_release);
        return true;
    }

    // The producer: how many bytes were pushed since the beginning.
    std::size_t pushed() const { return end_.load(std::memory_order_relaxed); }

    // The consumer: the oldest bytes, as far as they lie in one piece. Empty: there are none.
    std::span<const char> front() const {
        const auto begin = begin_.load(std::memory_order_relaxed);
        const auto at = begin & (capacity_ - 1);
        const auto length = end_.load(std::memory_order_acquire) - begin;
        return {bytes_.get() + at, std::min(length, capacity_ - at)};
    }

    void pop(std::size_t length) {
        begin_.store(begin_.load(std::memory_order_relaxed) + length, std::memory_order_release);
    }

private:
    std::size_t capacity_; // a power of two, so that positions may wrap
    std::unique_ptr<char[]> bytes_;
    alignas(64) std::atomic<std::size_t> begin_{0}; // positions count on for ever
    alignas(64) std::atomic<std::size_t> end_{0};
};

} // namespace httpd
