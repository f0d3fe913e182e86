// What is left to move of a call that moves bytes: reads, writes, messages.
//
// A call that goes to the background may outlive the arrays of struct iovec and the struct msghdr it was given, so they
// are copied then (capture), and from then on op.vector is what is left. The application's own arrays are read only
// after the kernel has read them without EFAULT, or when they were seen to be readable.
#pragma once

#include "calls/operation.hpp"

namespace laio {

constexpr std::uint64_t transfer_max = 0x7ffff000; // what Linux moves in one call: read(2)

// A length that no memory has: the plain call finds that before it could block, by an error of its own.
constexpr bool is_absurd(long length) { return length < 0 || length >= 1L << 47; }

// Takes bytes into one buffer, and nothing about it is special: what an engine may do unattempted.
bool is_plain_input(const operation &op);

// A read or write in terms of preadv2(2).
struct transfer {
    const iovec *vector;
    long count;
    long offset; // -1: the file's own
    long flags;
};

// What is left of it. A single buffer is put into `single`.
transfer rest_of(const operation &op, iovec &single);

// What it asks to move altogether. Reads the application's vector.
std::uint64_t size_of(const operation &op);

// Whether its vector, not yet captured, is unreadable, impossible or without a byte: then the plain call answers before
// it looks at what the file is, and cannot wait.
bool moves_nothing(const operation &op);

// Counts `bytes` as moved.
void note_moved(operation &op, std::uint64_t bytes);

// Copies what the application may reuse as soon as it has its EINPROGRESS. 0 or -ENOMEM.
int capture(operation &op);

// The struct msghdr to use for the next step of sendmsg and recvmsg: the application's own until it was captured.
msghdr *header_of(operation &op);

// After a step of recvmsg through a copied header: tells the application what it got.
void write_back(operation &op);

// What it returns when it was ended before it was complete: by laio_cancel(3), or because its socket's time was over.
long result_of_end(const operation &op);

// Forms that wait for the other end of a socket, a pipe, a terminal.
bool waits_for_peer(form f);

// Whose descriptor a carrier gets as a duplicate, since the number may mean another file when it gets to the call.
bool is_held(const operation &op);

// What sendfile(2) reads from cannot be held so: a carrier's number may mean another file by then, which it must not read.
void note_source(operation &op);
bool is_source_gone(const operation &op);

// The call as somebody who may block has to make it: the rest, with the copies.
call rest_as_call(operation &op);

// What the call returns when its last step returned `last`: what moved, if anything did.
long total(const operation &op, long last);

// MSG_DONTWAIT and its like, of calls that send or receive messages; 0 of others.
long message_flags(const operation &op);

bool is_vector_call(const operation &op);
bool is_header_call(const operation &op);

} // namespace laio
