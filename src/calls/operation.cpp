#include "calls/operation.hpp"

#include "kernel/system_call.hpp"

#include <cstdlib>
#include <cstring>

namespace laio {
namespace {

constexpr unsigned bit(state s) { return 1u << static_cast<unsigned>(s); }

constexpr unsigned successors(state s) {
    switch (s) {
    case state::free: return bit(state::waiting);
    case state::waiting: return bit(state::waiting) | bit(state::queued) | bit(state::running) | bit(state::done);
    case state::queued: return bit(state::waiting) | bit(state::cancelling) | bit(state::done);
    case state::running:
        return bit(state::waiting) | bit(state::cancelling) | bit(state::done);
    case state::cancelling: return bit(state::done);
    case state::done: return bit(state::free);
    }
    return 0;
}

} // namespace

void enter(operation &op, state next) {
    if ((successors(op.now) & bit(next)) == 0) std::abort();
    op.now = next;
}

void prepare(operation &op, const row *what, long number, const long *arguments) {
    op.what = what;
    op.made.number = number;
    std::memcpy(op.made.a, arguments, sizeof op.made.a);
    op.waits_for = until::nothing;
    op.timed_out = false;
    op.positional = false;
    op.fruitless = 0;
    op.cancelled.store(0, std::memory_order_relaxed);
    op.moved = 0;
    op.wanted = 0;
    op.data = nullptr;
    op.vector = nullptr;
    op.copied = nullptr;
    op.own_descriptor = -1;
    op.descriptor = static_cast<int>(arguments[0]);
    op.deadline_ns = 0;
}

void release(operation &op) {
    if (op.vector != nullptr && op.vector != op.vector_inside) std::free(op.vector);
    op.vector = nullptr;
    std::free(op.copied);
    op.copied = nullptr;
    if (op.own_descriptor >= 0) system_call(SYS_close, op.own_descriptor);
    op.own_descriptor = -1;
}

void operation_list::push(operation &op) {
    op.next = nullptr;
    op.previous = last;
    (last != nullptr ? last->next : first) = &op;
    last = &op;
}

operation *operation_list::pop() {
    operation *op = first;
    if (op != nullptr) remove(*op);
    return op;
}

void operation_list::remove(operation &op) {
    (op.previous != nullptr ? op.previous->next : first) = op.next;
    (op.next != nullptr ? op.next->previous : last) = op.previous;
    op.next = op.previous = nullptr;
}

} // namespace laio
