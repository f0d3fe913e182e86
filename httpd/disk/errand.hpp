// What the event loop has done by somebody who may wait for the disk: a helper thread (AMTED), a helper process (AMPED),
// the C library's AIO. Values; all but the name can be sent to another process and back as they are.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <boost/container_hash/hash.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace httpd {

enum class errand_kind : std::uint32_t { status, open, read };

struct errand_order {
    errand_kind what;
    off_t offset = 0;
    std::uint64_t length = 0;

    bool operator==(const errand_order &) const = default;
};

struct errand {
    errand_order order;
    std::string name; // of what is to be examined or opened
    int file = -1;    // whose bytes are to be read

    bool operator==(const errand &) const = default;
};

struct errand_result {
    long value = 0; // as a system call gives it, -1 and the error; of a file opened, its descriptor
    int error = 0;
    struct stat status {};

    static errand_result failure(int error) { return {-1, error, {}}; }
};

struct errand_hash {
    std::size_t operator()(const errand &one) const {
        std::size_t seed = 0;
        boost::hash_combine(seed, static_cast<std::uint32_t>(one.order.what));
        boost::hash_combine(seed, one.order.offset);
        boost::hash_combine(seed, one.order.length);
        boost::hash_combine(seed, one.name);
        boost::hash_combine(seed, one.file);
        return seed;
    }
};

// Runs the errand, and waits for the disk as long as that takes. Async-signal-safe.
errand_result run_errand(int root, const errand_order &order, const char *name, int file);

} // namespace httpd
