#include "calls/operation.hpp"

#include "kernel/system_call.hpp"

#include <cstdlib>

namespace laio {

void release_held(operation &op) {
    if (op.vector != nullptr && op.vector != op.vector_inside) std::free(op.vector);
    op.vector = nullptr;
    std::free(op.copied);
    op.copied = nullptr;
    if (op.own_descriptor >= 0) system_call(SYS_close, op.own_descriptor);
    op.own_descriptor = -1;
}

} // namespace laio
