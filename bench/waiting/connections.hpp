// Many connections whose other ends are in another process: the descriptors and the memory of the peers are then not
// counted with those of the loop. The peers connect, say which they are, and send a byte each, in a shuffled order,
// when told to.
#pragma once

#include "common/descriptor.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace laio::bench {

enum class transport { tcp, unix_stream };

class connections {
public:
    // Forks the peers and accepts all of them; the calling process must have one thread.
    connections(transport kind, std::size_t count, std::uint64_t seed);
    connections(const connections &) = delete;
    connections &operator=(const connections &) = delete;
    ~connections(); // ends the peers

    [[nodiscard]] std::size_t count() const { return sockets_.size(); }
    [[nodiscard]] int fd(std::size_t index) const { return sockets_[index].get(); }

    void let_peers_write() const;

    // What the peer of connection `index` sends.
    static unsigned char byte_of(std::size_t index) { return static_cast<unsigned char>(index * 7 + 1); }

private:
    std::vector<descriptor> sockets_; // by the peers' numbers
    descriptor control_;
    pid_t peers_ = -1;
};

// Raises the soft limit of descriptors to the hard one, and returns it.
std::size_t raise_descriptor_limit();

} // namespace laio::bench
