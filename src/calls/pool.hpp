// The pool of a loop's operations, and the handles that name them to the application.
//
// Grows by chunks, never shrinks, up to a bound (rounded up to whole chunks); an operation keeps its address. A handle is no pointer but a number
// made of the loop's number, the operation's generation and its index, so that any value an application may pass,
// made up or out of date or another thread's, is told from a good one. Used by the loop's thread.
#pragma once

#include "calls/operation.hpp"

#include <cstdint>

namespace laio {

class pool {
public:
    explicit pool(std::uint32_t operations_max);
    ~pool();
    pool(const pool &) = delete;
    pool &operator=(const pool &) = delete;

    operation *take(); // nullptr: no memory, or the bound
    void give_back(operation &op);

    [[nodiscard]] std::uintptr_t handle_of(const operation &op) const;
    [[nodiscard]] operation *find(std::uintptr_t handle) const; // nullptr: not a handle of this loop, or no more

    // Every operation that is not free, one after another.
    template <class F> void for_each(F visit) {
        for (std::uint32_t i = 0; i < count_; ++i)
            if (operation &op = at(i); op.now != state::free) visit(op);
    }

private:
    static constexpr std::uint32_t chunk_length = 64;

    [[nodiscard]] operation &at(std::uint32_t index) const {
        return chunks_[index / chunk_length][index % chunk_length];
    }
    bool grow();

    operation **chunks_ = nullptr;
    operation *free_ = nullptr;
    std::uint32_t count_ = 0;
    std::uint32_t max_;
    std::uint16_t number_; // of the loop
};

} // namespace laio
