// What keeps calls from being made in place here at all, whatever the kernel may permit.
#pragma once

#include <cstdint>

namespace laio {

enum class activation_obstacle : std::uint8_t {
    none,
    processor, // or the kernel for it: no instruction changes the thread pointer
    sanitizer, // knows of no stack but the thread's own; so does
    valgrind,
    shadow_stack, // the processor keeps return addresses a second time, and takes a change of stack for an attack
};

// For the calling thread.
activation_obstacle find_activation_obstacle();

} // namespace laio
