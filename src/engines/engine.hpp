// What an engine is: somebody who takes an operation that would block and gives it back when there is something to do.
//
// The loop is the only one who knows more than one engine. An operation is in one engine at a time, but for its deadline,
// which is the timers'. Engines are used by the loop's thread; what other threads do is inside carriers.
// Lost: a base class with virtual functions. The loop knows its engines by name, and a table of pointers would hide that.
#pragma once

#include "calls/operation.hpp"

#include <concepts>

namespace laio {

template <class E>
concept engine = requires(E e, operation &op, operation_list &list) {
    // Takes the operation. 0 or more, or a negative errno: then it is still the caller's.
    { e.start(op) } -> std::same_as<int>;
    // Wants it back before its time. True: here it is. False: it will come with collect(), as soon as it can.
    { e.cancel(op) } -> std::same_as<bool>;
    // Puts those into `list` for which there is something to do now. Does not wait.
    { e.collect(list) } -> std::same_as<void>;
};

} // namespace laio
