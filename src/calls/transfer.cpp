#include "calls/transfer.hpp"

#include "kernel/readable.hpp"
#include "kernel/system_call.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

namespace laio {
namespace {

bool is_positioned(long number) { return number == SYS_pread64 || number == SYS_pwrite64; }

bool has_vector_offset(long number) {
    return number == SYS_preadv || number == SYS_pwritev || number == SYS_preadv2 || number == SYS_pwritev2;
}

std::uint64_t sum(const iovec *vector, std::size_t count) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) bytes += vector[i].iov_len;
    return bytes < transfer_max ? bytes : transfer_max;
}

int copy_vector(operation &op, const iovec *from, long count) {
    if (count <= 0 || count > IOV_MAX) return 0; // the kernel will say what it thinks of that
    const auto length = static_cast<std::size_t>(count);
    if (!is_readable(from, length * sizeof *from)) return 0; // likewise
    iovec *to = op.vector_inside;
    if (length > sizeof op.vector_inside / sizeof *op.vector_inside)
        to = static_cast<iovec *>(std::malloc(length * sizeof *to));
    if (to == nullptr) return -ENOMEM;
    std::memcpy(to, from, length * sizeof *to);
    op.vector = to;
    op.vector_length = length;
    return 0;
}

// Drops what was moved from the front of the copied vector, in place.
void trim(operation &op, std::uint64_t bytes) {
    std::size_t whole = 0;
    while (whole < op.vector_length && op.vector[whole].iov_len <= bytes) bytes -= op.vector[whole++].iov_len;
    op.vector_length -= whole;
    std::memmove(op.vector, op.vector + whole, op.vector_length * sizeof *op.vector);
    if (op.vector_length > 0 && bytes > 0) {
        op.vector[0].iov_base = static_cast<char *>(op.vector[0].iov_base) + bytes;
        op.vector[0].iov_len -= bytes;
    }
}

void copy_times(operation &op) {
    for (int i = 0; op.what->arguments[i] != '\0'; ++i) {
        if (op.what->arguments[i] != 't' || op.made.a[i] == 0) continue;
        const auto *given = pointer<const timespec>(op.made.a[i]);
        if (!is_readable(given, sizeof *given)) continue;
        op.time = *given;
        op.made.a[i] = word(&op.time);
        return; // no call takes two of them
    }
}

bool counts_messages(const operation &op) {
    return op.what->attempt == form::receive_many || op.what->attempt == form::send_many;
}

// The signal mask of ppoll(2) and its kin would become the carrier's, which could then not be cancelled.
void drop_signal_mask(call &rest) {
    switch (rest.number) {
    case SYS_ppoll: rest.a[3] = 0; break;
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2: rest.a[4] = 0; break;
    case SYS_pselect6:
    case SYS_io_pgetevents: rest.a[5] = 0; break;
    default: break;
    }
}

} // namespace

bool is_vector_call(const operation &op) { return op.what->arguments[1] == 'v'; }
bool is_header_call(const operation &op) { return op.what->arguments[1] == 'm'; }

bool is_plain_input(const operation &op) {
    const auto &a = op.made.a;
    if (a[2] <= 0 || a[2] > static_cast<long>(transfer_max)) return false;
    return op.made.number == SYS_read || (op.made.number == SYS_recvfrom && a[3] == 0 && a[4] == 0);
}

long message_flags(const operation &op) {
    switch (op.what->attempt) {
    case form::receive:
    case form::send: return is_header_call(op) ? op.made.a[2] : op.made.a[3];
    case form::receive_many:
    case form::send_many: return op.made.a[3];
    default: return 0;
    }
}

transfer rest_of(const operation &op, iovec &single) {
    const auto &a = op.made.a;
    transfer rest{&single, 1, -1, 0};
    if (is_vector_call(op)) {
        rest.vector = op.vector != nullptr ? op.vector : pointer<const iovec>(a[1]);
        rest.count = op.vector != nullptr ? static_cast<long>(op.vector_length) : a[2];
        if (has_vector_offset(op.made.number)) rest.offset = a[3];
        if (op.made.number == SYS_preadv2 || op.made.number == SYS_pwritev2) rest.flags = a[5];
    } else {
        single = {pointer<char>(a[1]) + op.moved, static_cast<std::size_t>(a[2]) - op.moved};
        if (is_positioned(op.made.number)) rest.offset = a[3];
    }
    if (rest.offset >= 0) rest.offset += static_cast<long>(op.moved);
    return rest;
}

std::uint64_t size_of(const operation &op) {
    const auto &a = op.made.a;
    if (is_header_call(op)) {
        if (op.vector != nullptr) return op.moved + sum(op.vector, op.vector_length);
        const auto *header = op.has_header ? &op.header : pointer<const msghdr>(a[1]);
        return sum(header->msg_iov, header->msg_iovlen);
    }
    if (is_vector_call(op)) {
        if (op.vector != nullptr) return op.moved + sum(op.vector, op.vector_length);
        return sum(pointer<const iovec>(a[1]), static_cast<std::size_t>(a[2]));
    }
    const auto bytes = static_cast<std::uint64_t>(a[2]);
    return bytes < transfer_max ? bytes : transfer_max;
}

bool moves_nothing(const operation &op) {
    if (!is_vector_call(op) || op.vector != nullptr) return false;
    const auto *vector = pointer<const iovec>(op.made.a[1]);
    const auto count = static_cast<std::size_t>(op.made.a[2]);
    if (count > IOV_MAX || !is_readable(vector, count * sizeof *vector)) return true;
    for (std::size_t i = 0; i < count; ++i)
        if (is_absurd(static_cast<long>(vector[i].iov_len))) return true;
    return size_of(op) == 0;
}

void note_moved(operation &op, std::uint64_t bytes) {
    op.moved += bytes;
    if (op.vector != nullptr) trim(op, bytes);
}

int capture(operation &op) {
    if (!op.what->copies) return 0;
    copy_times(op);
    if (op.vector != nullptr) return 0;
    if (is_vector_call(op)) {
        if (const int error = copy_vector(op, pointer<const iovec>(op.made.a[1]), op.made.a[2]); error != 0)
            return error;
    } else if (is_header_call(op)) {
        const auto *header = pointer<const msghdr>(op.made.a[1]);
        if (!is_readable(header, sizeof *header)) return 0;
        op.header = *header;
        op.has_header = true;
        if (const int error = copy_vector(op, header->msg_iov, static_cast<long>(header->msg_iovlen)); error != 0)
            return error;
    }
    if (op.vector != nullptr && op.moved > 0) trim(op, op.moved);
    return 0;
}

msghdr *header_of(operation &op) {
    if (!op.has_header) return pointer<msghdr>(op.made.a[1]);
    if (op.vector != nullptr) {
        op.header.msg_iov = op.vector;
        op.header.msg_iovlen = op.vector_length;
    }
    if (op.moved > 0) { // names and control data went with the first bytes
        op.header.msg_control = nullptr;
        op.header.msg_controllen = 0;
    }
    return &op.header;
}

void write_back(operation &op) {
    if (!op.has_header || op.moved > 0 || op.what->attempt != form::receive) return;
    auto *header = pointer<msghdr>(op.made.a[1]);
    header->msg_namelen = op.header.msg_namelen;
    header->msg_controllen = op.header.msg_controllen;
    header->msg_flags = op.header.msg_flags;
}

long total(const operation &op, long last) {
    if (op.moved == 0) return last;
    return static_cast<long>(op.moved) + (last > 0 ? last : 0);
}

long result_of_end(const operation &op) { return total(op, op.timed_out ? -EAGAIN : -ECANCELED); }

bool waits_for_peer(form f) {
    return f == form::read || f == form::write || f == form::receive || f == form::send || f == form::receive_many ||
           f == form::send_many || f == form::accept;
}

bool is_held(const operation &op) { return waits_for_peer(op.what->attempt) || op.made.number == SYS_sendfile; }

void note_source(operation &op) {
    if (op.made.number != SYS_sendfile || op.source.is_known()) return;
    constexpr file_key nothing{~std::uint64_t{0}, ~std::uint64_t{0}, 0}; // it is closed, and stays so for this call
    if (recognize(static_cast<int>(op.made.a[1]), op.source) == -EBADF) op.source = nothing;
}

bool is_source_gone(const operation &op) {
    file_key now{};
    return op.made.number == SYS_sendfile && op.source.is_known() &&
           recognize(static_cast<int>(op.made.a[1]), now) == 0 && now != op.source; // the kernel sees a closed one
}

call rest_as_call(operation &op) {
    call rest = op.made;
    drop_signal_mask(rest);
    if (op.own_descriptor >= 0 && is_held(op)) rest.a[0] = op.own_descriptor;
    if (is_header_call(op)) {
        rest.a[1] = word(header_of(op));
    } else if (is_vector_call(op) && op.vector != nullptr) {
        rest.a[1] = word(op.vector);
        rest.a[2] = static_cast<long>(op.vector_length);
        if (has_vector_offset(rest.number) && rest.a[3] >= 0) rest.a[3] += static_cast<long>(op.moved);
    } else if (op.what->attempt == form::send_file) {
        long &length = rest.a[rest.number == SYS_sendfile ? 3 : 4];
        if (op.step > 0) length = static_cast<long>(op.step);
        else if (op.moved > 0) length = static_cast<long>(op.wanted - op.moved);
    } else if (op.moved > 0 && counts_messages(op)) {
        rest.a[1] += static_cast<long>(op.moved * sizeof(mmsghdr));
        rest.a[2] -= static_cast<long>(op.moved);
    } else if (op.moved > 0) {
        rest.a[1] += static_cast<long>(op.moved);
        rest.a[2] -= static_cast<long>(op.moved);
        if (is_positioned(rest.number)) rest.a[3] += static_cast<long>(op.moved);
    }
    return rest;
}

} // namespace laio
