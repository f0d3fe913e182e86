#include "calls/operation.hpp"

#include "kernel/system_call.hpp"

#include <cstdlib>

namespace laio {
namespace {

constexpr unsigned bit(state s) { return 1u << static_cast<unsigned>(s); }

constexpr unsigned successors(state s) {
    switch (s) {
    case state::free: return bit(state::waiting);
    case state::waiting: return bit(state::waiting) | bit(state::queued) | bit(state::running) | bit(state::done);
    case state::queued: return bit(state::waiting) | bit(state::cancelling) | bit(state::done);
    case state::running: return bit(state::waiting) | bit(state::cancelling) | bit(state::done);
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

void release_held(operation &op) {
    if (op.vector != nullptr && op.vector != op.vector_inside) std::free(op.vector);
    op.vector = nullptr;
    std::free(op.copied);
    op.copied = nullptr;
    if (op.own_descriptor >= 0) system_call(SYS_close, op.own_descriptor);
    op.own_descriptor = -1;
}

} // namespace laio
