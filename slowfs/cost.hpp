// What each operation costs: accesses of the disk, one after another, or a fixed delay beside it, in which any number of
// requests can wait at once. The defaults are those of a disk whose file system is mounted: what the kernel has been told
// once it keeps, so that opening a known file is free, and finding it reads its inode. Pure.
#pragma once

#include "duration.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace slowfs {

enum class operation : std::uint8_t { lookup, getattr, readlink, open, read, opendir, readdir, statfs };
inline constexpr std::size_t operations = 8;
inline constexpr std::array<std::string_view, operations> operation_names{"lookup", "getattr", "readlink", "open",
                                                                          "read",   "opendir", "readdir",  "statfs"};

constexpr std::size_t index_of(operation what) { return static_cast<std::size_t>(what); }

struct cost {
    std::uint32_t accesses = 0;
    nanoseconds delay{0};

    [[nodiscard]] bool is_free() const { return accesses == 0 && delay == nanoseconds::zero(); }
    bool operator==(const cost &) const = default;
};

inline constexpr std::uint32_t accesses_max = 1000;

class cost_table {
public:
    [[nodiscard]] const cost &of(operation what) const { return costs_[index_of(what)]; }

    // OPERATION=ACCESSES or OPERATION=DURATION. What is wrong with it, and nothing is changed; or empty.
    std::string set(std::string_view text);

private:
    //                                      lookup getattr readlink open read opendir readdir statfs
    std::array<cost, operations> costs_{{{1, {}}, {}, {}, {}, {1, {}}, {}, {1, {}}, {}}};
};

} // namespace slowfs
