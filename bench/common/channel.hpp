// A one-way channel of bytes with both ends in this process: a pipe, a TCP connection over loopback, a Unix stream
// pair.
#pragma once

#include "common/descriptor.hpp"

#include <cstddef>

namespace laio::bench {

enum class channel_kind { pipe, tcp, unix_stream };

struct channel {
    channel_kind kind = channel_kind::pipe;
    descriptor reader;
    descriptor writer;
};

channel make_channel(channel_kind kind);

// Writes `length` bytes and returns when the reader can read them all (TCP delivers a moment later).
void fill_channel(const channel &filled, const void *bytes, std::size_t length);

} // namespace laio::bench
