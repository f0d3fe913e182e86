#include "calls/pool.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace laio {
namespace {

std::atomic<std::uint16_t> loops_made{0};

// A handle: 16 bits loop, 24 bits generation, 24 bits index + 1 (so that no handle is NULL).
constexpr unsigned part_bits = 24;
constexpr std::uint32_t part_mask = (1u << part_bits) - 1;

} // namespace

pool::pool(std::uint32_t operations_max)
    : max_(operations_max), number_(loops_made.fetch_add(1, std::memory_order_relaxed)) {}

pool::~pool() {
    for (std::uint32_t i = 0; i < count_; i += chunk_length) std::free(chunks_[i / chunk_length]);
    std::free(chunks_);
}

bool pool::grow() {
    if (count_ >= max_) return false;
    const std::uint32_t chunk = count_ / chunk_length;
    if ((chunk & (chunk - 1)) == 0) { // 0, 1, 2, 4, ...: the list of chunks is full
        const std::size_t room = chunk == 0 ? 1 : 2 * std::size_t{chunk};
        void *larger = std::realloc(static_cast<void *>(chunks_), room * sizeof *chunks_);
        if (larger == nullptr) return false;
        chunks_ = static_cast<operation **>(larger);
    }
    void *memory = std::calloc(chunk_length, sizeof(operation));
    if (memory == nullptr) return false;
    chunks_[chunk] = static_cast<operation *>(memory);
    for (std::uint32_t i = chunk_length; i-- > 0;) {
        operation &op = chunks_[chunk][i];
        op.index = count_ + i;
        op.own_descriptor = -1;
        op.next = free_;
        free_ = &op;
    }
    count_ += chunk_length;
    return true;
}

operation *pool::take() {
    if (free_ == nullptr && !grow()) return nullptr;
    operation *op = free_;
    free_ = op->next;
    return op;
}

void pool::give_back(operation &op) {
    release(op);
    op.cancelled.store(0, std::memory_order_relaxed);
    op.runner.store(0, std::memory_order_relaxed);
    op.generation = (op.generation + 1) & part_mask;
    op.next = free_;
    free_ = &op;
}

std::uintptr_t pool::handle_of(const operation &op) const {
    return std::uintptr_t{number_} << (2 * part_bits) | std::uintptr_t{op.generation} << part_bits | (op.index + 1);
}

operation *pool::find(std::uintptr_t handle) const {
    const auto index = static_cast<std::uint32_t>(handle & part_mask) - 1;
    if (index >= count_ || handle >> (2 * part_bits) != number_) return nullptr;
    operation &op = at(index);
    const bool same = (handle >> part_bits & part_mask) == op.generation;
    return same && op.now != state::free ? &op : nullptr;
}

} // namespace laio
