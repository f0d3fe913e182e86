// Seeded fuzzing of what laio-slowfs reads: lists of files, and the costs of operations. Sound texts are put together from
// sound pieces, then damaged at random; what any text means is worked out a second time here, in the plainest way. What is
// accepted becomes a tree, in which all must be found and nothing may lie upon anything else.
// LAIO_FUZZ_SEED and LAIO_FUZZ_ROUNDS repeat a failure or go on for longer.
#include "cost.hpp"
#include "rounds.hpp"
#include "tree/listing.hpp"
#include "tree/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace {

using laio::test::damage;
using laio::test::dice;
using laio::test::run_rounds;

// ---- Lists ---------------------------------------------------------------------------------------------------------

struct file {
    std::uint64_t bytes = 0;
    std::string path;
    bool operator==(const file &) const = default;
};

bool is_path(const std::string &path) {
    if (path.size() > 8192 || !path.starts_with('/') || path.find('\0') != std::string::npos) return false;
    std::istringstream names(path.substr(1) + "/");
    int count = 0;
    for (std::string name; std::getline(names, name, '/'); ++count)
        if (name.empty() || name == "." || name == ".." || name.size() > 255) return false;
    return count > 0;
}

std::optional<file> file_of(const std::string &line) {
    const auto space = line.find(' ');
    if (space == 0 || space == std::string::npos) return std::nullopt;
    for (const char digit : line.substr(0, space))
        if (digit < '0' || digit > '9') return std::nullopt;
    const double bytes = std::strtod(line.substr(0, space).c_str(), nullptr);
    if (bytes > std::ldexp(1, 50) || !is_path(line.substr(space + 1))) return std::nullopt;
    return file{static_cast<std::uint64_t>(bytes), line.substr(space + 1)};
}

// The files, and the number of the line that is wrong; 0: none is.
std::pair<std::vector<file>, int> meaning_of(const std::string &text) {
    std::vector<file> found;
    std::istringstream lines(text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
        if (line.size() > 8192 + 20) return {found, number}; // a size has 20 digits at most
        if (line.empty() || line.starts_with('#')) continue;
        const auto one = file_of(line);
        if (!one) return {found, number};
        found.push_back(*one);
    }
    return {found, 0};
}

std::string sound_path(dice &random) {
    static const std::vector<std::string> names = {"a",   "b",        "index.html", "...", ".x", "%20",
                                                   "a b", "\xc3\xa4", "#",          "7",   " "};
    std::string path;
    for (auto n = random.below(4) + 1; n > 0; --n) path += "/" + random.of(names);
    return path;
}

std::string sound_list(dice &random) {
    std::string text;
    for (auto n = random.below(12); n > 0; --n) {
        if (random.one_in(8)) text += random.one_in(2) ? "# 5 /comment\n" : "\n";
        text += std::to_string(random.one_in(9) ? std::uint64_t{1} << random.below(51) : random.below(20'000)) + " " +
                sound_path(random) + "\n";
    }
    if (random.one_in(3) && !text.empty()) text.pop_back();
    return text;
}

// All is found where it was put; what takes room on the disk lies in the order of the numbers, and nothing upon another.
void check_tree(const slowfs::tree &all, const std::map<std::string, std::uint64_t> &listed) {
    std::string path;
    std::size_t files = 0;
    std::uint64_t end = 0;
    for (slowfs::node_number i = 0; i < all.size(); ++i) {
        const auto &one = all.at(i);
        all.path_of(i, path);
        EXPECT_GE(one.address, end);
        EXPECT_LE(one.address + one.bytes, all.disk_bytes());
        EXPECT_LE(all.inode_place(i).address + 4096, all.disk_bytes());
        EXPECT_LE(all.name_place(i).address + 4096, all.disk_bytes());
        end = one.address + one.bytes;
        if (i == slowfs::root_node) continue;
        EXPECT_EQ(all.find(one.parent, one.name), i) << path;
        if (all.is_folder(i)) continue;
        ++files;
        const auto known = listed.find(path);
        ASSERT_NE(known, listed.end()) << path;
        EXPECT_EQ(one.bytes, known->second);
    }
    EXPECT_EQ(files, listed.size());
}

void make_tree(const std::vector<file> &files) {
    std::map<std::string, std::uint64_t> listed;
    slowfs::tree all({.mode = S_IFDIR | 0555});
    for (const auto &one : files) {
        all.add(one.path, one.bytes, {.mode = S_IFREG | 0444});
        listed[one.path] = one.bytes;
    }
    bool is_sound = listed.size() == files.size();
    for (const auto &[path, bytes] : listed) {
        const auto below = listed.lower_bound(path + "/");
        is_sound = is_sound && (below == listed.end() || !below->first.starts_with(path + "/"));
    }
    try {
        all.lay_out();
        EXPECT_TRUE(is_sound) << "a file is there twice, or is a folder, too";
        if (is_sound) check_tree(all, listed);
    } catch (const std::invalid_argument &) { EXPECT_FALSE(is_sound); }
}

void one_list(dice &random) {
    static const std::vector<std::string> splinters = {" ",
                                                       "\n",
                                                       "/",
                                                       "//",
                                                       "/.",
                                                       "/..",
                                                       "/../",
                                                       "-1",
                                                       "1125899906842625 /x\n",
                                                       "99999999999999999999",
                                                       "\r",
                                                       "\t",
                                                       "#",
                                                       std::string(1, '\0'),
                                                       "0x1 ",
                                                       std::string(256, 'n'),
                                                       std::string(9000, 'l'),
                                                       "5 /a/b/c\n"};
    std::string text = sound_list(random);
    EXPECT_EQ(meaning_of(text).second, 0) << text;
    if (!random.one_in(4)) damage(random, text, splinters);
    const auto [expected, wrong_line] = meaning_of(text);
    std::vector<file> found;
    std::istringstream from(text);
    try {
        slowfs::read_listing(from, "list", [&found](const slowfs::listed_file &one) {
            found.push_back({one.bytes, std::string(one.path)});
        });
        EXPECT_EQ(wrong_line, 0) << text;
    } catch (const slowfs::listing_error &error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("list:" + std::to_string(wrong_line) + ": "))
            << error.what() << text;
    }
    EXPECT_EQ(found, expected) << text;
    make_tree(found);
}

TEST(listing, of_any_bytes) { run_rounds(20'000, one_list); }

// ---- Costs ---------------------------------------------------------------------------------------------------------

// Another reading of the same grammar: digits, or digits with at most one point among them and a unit.
std::optional<slowfs::cost> cost_of(const std::string &text) {
    static const std::map<std::string, double> units = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    const auto length = std::min(text.find_first_not_of(".0123456789"), text.size());
    const std::string number = text.substr(0, length);
    const auto points = std::count(number.begin(), number.end(), '.');
    if (std::cmp_equal(points, number.size()) || points > 1) return std::nullopt;
    const double value = std::strtod(number.c_str(), nullptr);
    if (length == text.size()) {
        if (points != 0 || value > 1000) return std::nullopt;
        return slowfs::cost{static_cast<std::uint32_t>(value), {}};
    }
    const auto unit = units.find(text.substr(length));
    if (unit == units.end()) return std::nullopt;
    const double ns = std::round(value * unit->second);
    if (ns > 86400e9) return std::nullopt;
    return slowfs::cost{0, std::chrono::nanoseconds(static_cast<std::int64_t>(ns))};
}

void one_cost(dice &random) {
    static const std::vector<std::string> values = {"0",      "1",      "7",   "1000", "1001", "5ms",
                                                    "0.25us", "86400s", "3.s", ".5ms", "12ns"};
    static const std::vector<std::string> splinters = {"=",
                                                       ".",
                                                       "e5",
                                                       "inf",
                                                       "nan",
                                                       "-",
                                                       "+",
                                                       " ",
                                                       "ms",
                                                       "s",
                                                       "us",
                                                       "0x",
                                                       "00",
                                                       "9",
                                                       "86401s",
                                                       "\n",
                                                       "4294967296",
                                                       "lookup=",
                                                       std::string(1, '\0'),
                                                       std::string(400, '9')};
    const auto which = random.below(slowfs::operations);
    std::string text = std::string(slowfs::operation_names.at(which)) + "=" + random.of(values);
    if (!random.one_in(5)) damage(random, text, splinters);

    slowfs::cost_table costs;
    const slowfs::cost_table before;
    const auto complaint = costs.set(text);
    const auto equals = std::min(text.find('='), text.size());
    const auto name = std::find(slowfs::operation_names.begin(), slowfs::operation_names.end(), text.substr(0, equals));
    const auto value = equals == text.size() ? std::nullopt : cost_of(text.substr(equals + 1));
    const bool is_sound = name != slowfs::operation_names.end() && value;
    EXPECT_EQ(complaint.empty(), is_sound) << text << ": " << complaint;
    for (std::size_t i = 0; i < slowfs::operations; ++i) {
        const auto what = static_cast<slowfs::operation>(i);
        const bool is_set = is_sound && slowfs::operation_names.at(i) == *name;
        EXPECT_EQ(costs.of(what), is_set ? *value : before.of(what)) << text;
    }
}

TEST(cost, of_any_bytes) { run_rounds(20'000, one_cost); }

} // namespace
