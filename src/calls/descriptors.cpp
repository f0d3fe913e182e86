#include "calls/descriptors.hpp"

#include <cstdlib>
#include <sys/syscall.h>

namespace laio {
namespace {

constexpr std::size_t index_of(lane way) { return static_cast<std::size_t>(way); }

lane lane_of_form(const row &what, const call &made) {
    switch (what.attempt) {
    case form::read:
        return made.number == SYS_read || made.number == SYS_readv || (made.number == SYS_preadv2 && made.a[3] == -1)
                   ? lane::in
                   : lane::none;
    case form::write:
        return made.number == SYS_write || made.number == SYS_writev || (made.number == SYS_pwritev2 && made.a[3] == -1)
                   ? lane::out
                   : lane::none;
    case form::receive:
    case form::receive_many:
    case form::accept: return lane::in;
    case form::send:
    case form::send_many:
    case form::connect: return lane::out;
    default: return lane::none;
    }
}

// The calls whose lanes are not those of their form.
bool special_lanes_of(const call &made, lane_use (&uses)[2]) {
    const auto argument = [&made](int i) { return static_cast<int>(made.a[i]); };
    switch (made.number) {
    case SYS_sendfile: // its own offset, if it is given one
        uses[0] = {argument(0), lane::out};
        uses[1] = {argument(1), made.a[2] == 0 ? lane::in : lane::none};
        return true;
    case SYS_splice:
    case SYS_copy_file_range:
        uses[0] = {argument(0), lane::in};
        uses[1] = {argument(2), lane::out};
        return true;
    case SYS_tee:
        uses[0] = {argument(0), lane::in};
        uses[1] = {argument(1), lane::out};
        return true;
    case SYS_vmsplice: uses[0] = {argument(0), lane::out}; return true;
    case SYS_lseek:
#ifdef SYS_getdents
    case SYS_getdents:
#endif
    case SYS_getdents64: uses[0] = {argument(0), lane::in}; return true;
    case SYS_mq_timedreceive: uses[0] = {argument(0), lane::in}; return true;
    case SYS_mq_timedsend: uses[0] = {argument(0), lane::out}; return true;
    default: return false;
    }
}

} // namespace

void lanes_of(const row &what, const call &made, bool positional, lane_use (&uses)[2]) {
    uses[0] = uses[1] = {-1, lane::none};
    lane way = lane_of_form(what, made);
    if (way == lane::none && special_lanes_of(made, uses)) return;
    const int i = what.descriptor_argument();
    if (i < 0) return;
    if (positional && way == lane::out) way = lane::in;
    uses[0] = {static_cast<int>(made.a[i]), way};
}

descriptors::~descriptors() {
    while (unused_ != nullptr) {
        descriptor_calls *next = unused_->next_in_bucket;
        std::free(unused_);
        unused_ = next;
    }
}

bool descriptors::is_busy(const row &what, const call &made) const {
    if (map_.empty()) return false;
    lane_use uses[2];
    lanes_of(what, made, false, uses);
    for (const lane_use &use : uses) {
        if (use.descriptor < 0 || use.way == lane::none) continue;
        const descriptor_calls *calls = map_.find(use.descriptor);
        if (calls == nullptr) continue;
        const lane way = calls->positional ? lane::in : use.way;
        if (calls->first[index_of(way)] != nullptr) return true;
    }
    return false;
}

descriptor_calls *descriptors::record_for(int descriptor) {
    descriptor_calls *calls = map_.find(descriptor);
    if (calls != nullptr) return calls;
    calls = unused_;
    if (calls != nullptr) unused_ = calls->next_in_bucket;
    else calls = static_cast<descriptor_calls *>(std::malloc(sizeof *calls));
    if (calls == nullptr) return nullptr;
    *calls = {};
    calls->descriptor = descriptor;
    map_.insert(*calls);
    return calls;
}

void descriptors::forget_if_empty(descriptor_calls &calls) {
    if (calls.count > 0) return;
    map_.remove(calls);
    calls.next_in_bucket = unused_;
    unused_ = &calls;
}

bool descriptors::join(operation &op) {
    lane_use uses[2];
    lanes_of(*op.what, op.made, op.positional, uses);
    for (std::size_t i = 0; i < 2; ++i) {
        membership &place = op.places[i];
        place = {&op, nullptr, nullptr, nullptr, uses[i].way};
        if (uses[i].descriptor < 0) continue;
        descriptor_calls *calls = record_for(uses[i].descriptor);
        if (calls == nullptr) {
            operation *none[2];
            leave(op, none);
            return false;
        }
        if (op.positional) calls->positional = true;
        if (calls->positional && place.way == lane::out) place.way = lane::in;
        const std::size_t way = index_of(place.way);
        place.where = calls;
        place.previous = calls->last[way];
        (place.previous != nullptr ? place.previous->next : calls->first[way]) = &place;
        calls->last[way] = &place;
        ++calls->count;
    }
    return true;
}

bool descriptors::is_first(const operation &op) {
    for (const membership &place : op.places)
        if (place.where != nullptr && place.way != lane::none && place.previous != nullptr &&
            place.previous->owner != &op) // a copy within a file stands behind itself
            return false;
    return true;
}

void descriptors::leave(operation &op, operation *(&next)[2]) {
    next[0] = next[1] = nullptr;
    for (std::size_t i = 0; i < 2; ++i) {
        membership &place = op.places[i];
        descriptor_calls *calls = place.where;
        if (calls == nullptr) continue;
        const std::size_t way = index_of(place.way);
        const bool was_first = place.previous == nullptr;
        (place.previous != nullptr ? place.previous->next : calls->first[way]) = place.next;
        (place.next != nullptr ? place.next->previous : calls->last[way]) = place.previous;
        if (was_first && place.way != lane::none && place.next != nullptr && place.next->owner != &op)
            next[i] = place.next->owner;
        place.where = nullptr;
        --calls->count;
        forget_if_empty(*calls);
    }
    if (next[1] == next[0]) next[1] = nullptr;
    for (operation *&candidate : next)
        if (candidate != nullptr && !is_first(*candidate)) candidate = nullptr;
}

} // namespace laio
