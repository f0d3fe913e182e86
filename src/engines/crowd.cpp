#include "engines/crowd.hpp"

namespace laio {

void crowd::hold(operation &op) {
    op.crowd = in_crowd::waits;
    held_.push(op);
}

void crowd::remove(operation &op) {
    op.crowd = in_crowd::no;
    held_.remove(op);
}

void crowd::began(operation &op) {
    if (!op.crowded || op.crowd == in_crowd::sends) return;
    op.crowd = in_crowd::sends;
    ++blocked_;
}

void crowd::ended(operation &op) {
    if (op.crowd != in_crowd::sends) return;
    op.crowd = in_crowd::no;
    --blocked_;
}

operation *crowd::next() {
    if (held_.empty() || blocked_ >= blocked_max) return nullptr;
    operation *one = held_.pop();
    one->crowd = in_crowd::no;
    return one;
}

} // namespace laio
