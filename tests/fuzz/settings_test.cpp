// Seeded fuzzing of the two texts that the library reads from outside: LAIO_FORBID and /proc/self/mountinfo. Texts
// are put together from sound pieces, then damaged at random. What a sound text means is known from how it was
// made; what any text means is worked out a second time here, in the plainest way. LAIO_FUZZ_SEED and
// LAIO_FUZZ_ROUNDS repeat a failure or go on for longer; the texts fill their memory exactly, so that sanitizers
// see reads out of bounds.
#include "kernel/features.hpp"
#include "kernel/file_systems.hpp"
#include "rounds.hpp"

#include <laio/laio.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using laio::test::damage;
using laio::test::dice;
using laio::test::run_rounds;

std::vector<std::string_view> divide(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto end = text.find(at);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

// ---- LAIO_FORBID ---------------------------------------------------------------------------------------------------

const std::map<std::string, std::uint32_t, std::less<>> names = {
    {"ring", LAIO_FORBID_RING},   {"readiness", LAIO_FORBID_READINESS}, {"ring_new", LAIO_FORBID_RING_NEW},
    {"defer", LAIO_FORBID_DEFER}, {"nowait", LAIO_FORBID_NOWAIT},       {"cached", LAIO_FORBID_CACHED},
    {"pidfd", LAIO_FORBID_PIDFD}, {"attempts", LAIO_FORBID_ATTEMPTS},
};

struct meaning {
    std::uint32_t bits = 0;
    std::optional<std::size_t> unknown; // where the first one starts
};

meaning meaning_of(std::string_view list) {
    meaning found;
    for (const auto part : divide(list, ',')) {
        if (const auto known = names.find(part); known != names.end()) found.bits |= known->second;
        else if (!part.empty() && !found.unknown) found.unknown = static_cast<std::size_t>(part.data() - list.data());
    }
    return found;
}

meaning parse(const std::string &list) {
    const auto exactly = std::make_unique<char[]>(list.size() + 1);
    std::memcpy(exactly.get(), list.c_str(), list.size() + 1);
    const char *unknown = nullptr;
    meaning found{laio::parse_forbidden(exactly.get(), &unknown), {}};
    if (unknown != nullptr) found.unknown = static_cast<std::size_t>(unknown - exactly.get());
    return found;
}

void one_list(dice &random) {
    std::string list;
    std::uint32_t bits = 0;
    for (auto n = random.below(7); n > 0; --n) {
        const auto one = std::next(names.begin(), static_cast<std::ptrdiff_t>(random.below(names.size())));
        list += one->first;
        bits |= one->second;
        for (auto commas = random.one_in(4) ? random.below(4) + 1 : 1; commas > 0; --commas) list += ',';
    }
    if (random.one_in(2) && !list.empty()) list.pop_back();
    const auto sound = parse(list);
    EXPECT_EQ(sound.bits, bits) << list;
    EXPECT_FALSE(sound.unknown) << list;

    static const std::vector<std::string> splinters = {
        ",", " ", "ring", "_", "new", "ring_", "RING", ", ", "\xff", "\n", "all", "-1", std::string(300, 'n')};
    damage(random, list, splinters);
    list.resize(std::min(list.size(), list.find('\0'))); // the environment has no more of it
    const auto found = parse(list);
    const auto expected = meaning_of(list);
    EXPECT_EQ(found.bits, expected.bits) << list;
    EXPECT_EQ(found.unknown, expected.unknown) << list;
    EXPECT_EQ(found.bits & ~LAIO_FORBID_ALL, 0U) << list;
}

TEST(forbidden_list, of_any_bytes) { run_rounds(50'000, one_list); }

// ---- mountinfo -----------------------------------------------------------------------------------------------------

using device = std::pair<std::uint32_t, std::uint32_t>;

const std::vector<std::string> local_types = {"ext4", "xfs", "btrfs", "tmpfs", "devtmpfs", "vfat", "erofs"};
const std::vector<std::string> other_types = {"nfs4", "fuse.sshfs", "fuse",  "9p", "cifs",
                                              "proc", "overlay",    "ext4x", "xf"};

bool says_local(const std::string &text, device of) {
    const auto exactly = std::make_unique<char[]>(text.size());
    std::memcpy(exactly.get(), text.data(), text.size());
    return laio::mountinfo_says_local(exactly.get(), text.size(), of.first, of.second);
}

std::optional<std::uint32_t> number_of(std::string_view digits) {
    std::uint64_t number = 0;
    if (digits.empty()) return std::nullopt;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9') return std::nullopt;
        number = number * 10 + static_cast<std::uint64_t>(digit - '0');
        if (number > UINT32_MAX) return std::nullopt;
    }
    return static_cast<std::uint32_t>(number);
}

// The type that a line names for the device, if it is a sound line about it.
std::optional<std::string_view> type_in(std::string_view line, device of) {
    const auto fields = divide(line, ' ');
    if (fields.size() < 3) return std::nullopt;
    const auto numbers = divide(fields[2], ':');
    if (numbers.size() != 2 || number_of(numbers[0]) != of.first || number_of(numbers[1]) != of.second)
        return std::nullopt;
    for (std::size_t i = 6; i + 2 < fields.size(); ++i) // the type, and something after it
        if (fields[i] == "-") return fields[i + 1];
    return std::nullopt;
}

bool should_be_local(std::string_view text, device of) {
    static const std::set<std::string, std::less<>> local = {
        "ext2",     "ext3",     "ext4",  "xfs",     "btrfs", "f2fs",  "tmpfs", "ramfs",
        "devtmpfs", "squashfs", "erofs", "iso9660", "vfat",  "exfat", "jfs",   "hugetlbfs"};
    auto lines = divide(text, '\n');
    lines.pop_back(); // what is not ended says nothing
    for (const auto line : lines)
        if (const auto type = type_in(line, of)) return local.contains(*type);
    return false;
}

std::string path(dice &random) {
    static const std::vector<std::string> pieces = {"/",         "/mnt",  "/a\\040b", "/-",    "\\040-\\040ext4",
                                                    "\\134",     "/ext4", "/8:1",     "\\012", "-",
                                                    "/\xc3\xa4", "/nfs4", "/x\\011",  "/srv"};
    std::string made;
    for (auto n = random.below(4) + 1; n > 0; --n) made += random.of(pieces);
    return made;
}

std::string sound_line(dice &random, device of, const std::string &type) {
    static const std::vector<std::string> optional = {"shared:1 ", "master:22 ", "propagate_from:3 ", "unbindable "};
    std::string line = std::to_string(random.below(1000)) + " " + std::to_string(random.below(1000)) + " " +
                       std::to_string(of.first) + ":" + std::to_string(of.second) + " " + path(random) + " " +
                       path(random) + " rw,noatime ";
    for (auto n = random.below(4); n > 0; --n) line += random.of(optional);
    return line + "- " + type + " " + (random.one_in(6) ? "" : path(random)) + " rw,size=4k\n";
}

void one_mountinfo(dice &random) {
    std::string text;
    std::map<device, bool> local;
    for (auto n = random.below(7) + 1; n > 0; --n) {
        const device of{random.below(3), random.one_in(9) ? UINT32_MAX - random.below(3) : random.below(12)};
        const bool is_local = local.emplace(of, random.one_in(2)).first->second; // a device has one file system
        text += sound_line(random, of, random.of(is_local ? local_types : other_types));
    }
    for (const auto &[of, is_local] : local) EXPECT_EQ(says_local(text, of), is_local) << text;
    EXPECT_FALSE(says_local(text, {3, 1})) << "a device that is not there\n" << text;

    static const std::vector<std::string> splinters = {" ",
                                                       "\n",
                                                       " - ",
                                                       "-",
                                                       " - ext4 ",
                                                       ":",
                                                       "0:1",
                                                       "1:",
                                                       " 1:1 ",
                                                       "\t",
                                                       "+",
                                                       "\r",
                                                       " \n",
                                                       "\n ",
                                                       "4294967297",
                                                       "ext4",
                                                       std::string(1, '\0'),
                                                       "  ",
                                                       "00",
                                                       "- ",
                                                       "99999999999999999999",
                                                       "\\040",
                                                       std::string(400, 'm')};
    damage(random, text, splinters);
    for (std::uint32_t device_major = 0; device_major < 3; ++device_major)
        for (std::uint32_t device_minor = 0; device_minor < 12; ++device_minor) {
            const device of{device_major, device_minor};
            EXPECT_EQ(says_local(text, of), should_be_local(text, of)) << device_major << ":" << device_minor << "\n"
                                                                       << text;
        }
}

TEST(mountinfo, of_any_bytes) { run_rounds(50'000, one_mountinfo); }

} // namespace
