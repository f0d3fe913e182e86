// System calls that a FUSE server has to answer, and which of its answers makes them slow.
//
// A scene is what one such call needs, in a folder of its own: the kernel locks a folder while a name in it changes, and calls
// that are made at once are not to wait for each other.
#pragma once

#include "harness.hpp"
#include "slow_files.hpp"

#include <array>
#include <fcntl.h>
#include <span>
#include <string>
#include <sys/stat.h>

namespace laio::test {

struct scene {
    scene(const slow_files &files, unsigned number);
    [[nodiscard]] std::string path(std::string_view name) const { return folder + "/" + std::string{name}; }

    std::string folder; // holds `file`, `link` to it and the empty folder `below`
    std::string file_path, link_path, below_path, new_path;
    descriptor file;        // of `file`; past the page cache, so that each read arrives at the server
    descriptor cached_file; // the same through the page cache
    descriptor directory;
    pipe_ends pipe;
    alignas(4096) std::array<char, 8192> buffer{};
    struct stat status {};
    std::array<struct timespec, 2> times{};
    long offset = 0;
    struct flock lock {};
};

struct slow_call {
    enum class trait : std::uint8_t {
        ordinary,
        opens,       // it returns a descriptor
        closes,      // the scene's file
        may_be_held, // no signal gets it out of the kernel while it waits
    };

    const char *name;
    file_operation answer; // the one that is slow
    long number;
    arguments (*of)(scene &);
    trait is = trait::ordinary;

    [[nodiscard]] call_record *begin_in(scene &where) const { return begin_call(number, of(where)); }
    [[nodiscard]] outcome plain_in(scene &where) const { return plain_call(number, of(where)); }
    [[nodiscard]] bool may_be_held() const { return is == trait::may_be_held; }
    void clean_up(scene &where, outcome result) const;
};

std::span<const slow_call> slow_calls();

} // namespace laio::test
