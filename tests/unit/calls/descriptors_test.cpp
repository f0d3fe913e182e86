// The order of the calls on a descriptor: which lane a call takes, whose turn it is, who comes next, what close(2) finds.
#include "calls/descriptors.hpp"

#include "calls/pool.hpp"
#include "unit/calls/trial.hpp"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <new>
#include <random>
#include <set>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

using laio::descriptors;
using laio::lane;
using laio::lane_use;
using laio::operation;
using laio::pool;
using laio::test::as_word;

// ---- Lanes -----------------------------------------------------------------------------------------------------------

struct lanes_of_call {
    const char *name;
    long number;
    std::vector<long> arguments;
    lane_use first;
    lane_use second = {-1, lane::none};
    bool positional = false;
};

const long offset = 0;
const long somewhere = as_word(&offset);

const lanes_of_call known_lanes[] = {
    {"read", SYS_read, {5}, {5, lane::in}},
    {"readv", SYS_readv, {5}, {5, lane::in}},
    {"pread64 has an offset of its own", SYS_pread64, {5}, {5, lane::none}},
    {"preadv", SYS_preadv, {5}, {5, lane::none}},
    {"preadv2 at an offset", SYS_preadv2, {5, 0, 0, 100}, {5, lane::none}},
    {"preadv2 at the file's offset", SYS_preadv2, {5, 0, 0, -1}, {5, lane::in}},
    {"write", SYS_write, {5}, {5, lane::out}},
    {"writev", SYS_writev, {5}, {5, lane::out}},
    {"pwrite64", SYS_pwrite64, {5}, {5, lane::none}},
    {"pwritev", SYS_pwritev, {5}, {5, lane::none}},
    {"pwritev2 at an offset", SYS_pwritev2, {5, 0, 0, 100}, {5, lane::none}},
    {"pwritev2 at the file's offset", SYS_pwritev2, {5, 0, 0, -1}, {5, lane::out}},
    {"write to a regular file goes with its reads", SYS_write, {5}, {5, lane::in}, {-1, lane::none}, true},
    {"read of a regular file", SYS_read, {5}, {5, lane::in}, {-1, lane::none}, true},
    {"recvfrom", SYS_recvfrom, {5}, {5, lane::in}},
    {"recvmsg", SYS_recvmsg, {5}, {5, lane::in}},
    {"recvmmsg", SYS_recvmmsg, {5}, {5, lane::in}},
    {"accept", SYS_accept, {5}, {5, lane::in}},
    {"accept4", SYS_accept4, {5}, {5, lane::in}},
    {"sendto", SYS_sendto, {5}, {5, lane::out}},
    {"sendmsg", SYS_sendmsg, {5}, {5, lane::out}},
    {"sendmmsg", SYS_sendmmsg, {5}, {5, lane::out}},
    {"connect", SYS_connect, {5}, {5, lane::out}},
    {"mq_timedreceive", SYS_mq_timedreceive, {5}, {5, lane::in}},
    {"mq_timedsend", SYS_mq_timedsend, {5}, {5, lane::out}},
    {"lseek waits for what moves the offset", SYS_lseek, {5}, {5, lane::in}},
    {"getdents64", SYS_getdents64, {5}, {5, lane::in}},
    {"fsync", SYS_fsync, {5}, {5, lane::none}},
    {"flock", SYS_flock, {5}, {5, lane::none}},
    {"sendfile moves both", SYS_sendfile, {5, 6, 0}, {5, lane::out}, {6, lane::in}},
    {"sendfile at an offset", SYS_sendfile, {5, 6, somewhere}, {5, lane::out}, {6, lane::none}},
    {"splice", SYS_splice, {5, 0, 6}, {5, lane::in}, {6, lane::out}},
    {"copy_file_range", SYS_copy_file_range, {5, 0, 6}, {5, lane::in}, {6, lane::out}},
    {"tee", SYS_tee, {5, 6}, {5, lane::in}, {6, lane::out}},
    {"vmsplice", SYS_vmsplice, {5}, {5, lane::out}},
    {"getpid has no descriptor", SYS_getpid, {}, {-1, lane::none}},
    {"a sleep has none", SYS_nanosleep, {5}, {-1, lane::none}},
};

TEST(lanes, are_those_of_the_bytes_that_a_call_moves) {
    for (const lanes_of_call &expected : known_lanes) {
        SCOPED_TRACE(expected.name);
        laio::call made{expected.number, {}};
        std::copy(expected.arguments.begin(), expected.arguments.end(), made.a);
        lane_use uses[2];
        lanes_of(*laio::find_row(expected.number), made, expected.positional, uses);
        const lane_use wanted[2] = {expected.first, expected.second};
        for (int i = 0; i < 2; ++i) {
            EXPECT_EQ(uses[i].descriptor, wanted[i].descriptor);
            if (wanted[i].descriptor >= 0) { EXPECT_EQ(uses[i].way, wanted[i].way); }
        }
    }
}

// ---- Turns -----------------------------------------------------------------------------------------------------------

class turns : public testing::Test {
protected:
    using those = std::set<operation *>;

    pool ops{100'000};
    descriptors lines;

    // Records in use are not given back with the rest: a loop ends all its calls first.
    void TearDown() override {
        ops.for_each([this](operation &op) { leave(op); });
    }

    // A call in the background that is not in line yet.
    template <class... arguments> operation &make(long number, const arguments &...values) {
        operation *op = ops.take();
        if (op == nullptr) throw std::bad_alloc{};
        const long words[6] = {as_word(values)...};
        prepare(*op, *laio::find_row(number), number, words);
        enter(*op, laio::state::waiting);
        return *op;
    }

    template <class... arguments> operation &join(long number, const arguments &...values) {
        operation &op = make(number, values...);
        EXPECT_TRUE(lines.join(op));
        return op;
    }

    operation &join_positional(long number, int file) {
        operation &op = make(number, file);
        op.positional = true;
        EXPECT_TRUE(lines.join(op));
        return op;
    }

    // Takes it out: those whose turn came.
    those leave(operation &op) {
        operation *next[2];
        lines.leave(op, next);
        EXPECT_FALSE(next[0] != nullptr && next[0] == next[1]) << "named twice";
        those found{next[0], next[1]};
        found.erase(nullptr);
        return found;
    }

    [[nodiscard]] static bool is_first(const operation &op) { return descriptors::is_first(op); }

    [[nodiscard]] bool is_busy(long number, long a0, long a1 = 0, long a2 = 0, long a3 = 0) const {
        const laio::call made{number, {a0, a1, a2, a3}};
        return lines.is_busy(*laio::find_row(number), made);
    }

    // What close(2) would have to end.
    [[nodiscard]] std::multiset<operation *> calls_on(int descriptor) const {
        std::multiset<operation *> found;
        if (const laio::descriptor_calls *calls = lines.find(descriptor); calls != nullptr)
            for (const laio::membership *first : calls->first)
                for (const laio::membership *place = first; place != nullptr; place = place->next)
                    found.insert(place->owner);
        return found;
    }
};

TEST_F(turns, are_in_the_order_of_the_calls) {
    std::vector<operation *> waiting(100);
    for (operation *&op : waiting) op = &join(SYS_read, 5);
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        EXPECT_TRUE(is_first(*waiting[i]));
        for (std::size_t j = i + 1; j < waiting.size(); ++j)
            ASSERT_FALSE(is_first(*waiting[j])) << j << " before " << i;
        EXPECT_EQ(leave(*waiting[i]), i + 1 < waiting.size() ? those{waiting[i + 1]} : those{});
    }
    EXPECT_EQ(lines.find(5), nullptr);
}

TEST_F(turns, of_different_calls_in_one_direction_are_one_order) {
    operation &first = join(SYS_recvfrom, 5);
    operation &second = join(SYS_readv, 5);
    operation &third = join(SYS_recvmsg, 5);
    EXPECT_EQ(leave(first), those{&second});
    EXPECT_EQ(leave(second), those{&third});
}

TEST_F(turns, do_not_come_by_the_end_of_a_call_that_waited_itself) {
    operation &first = join(SYS_read, 5);
    operation &second = join(SYS_read, 5);
    operation &third = join(SYS_read, 5);
    operation &last = join(SYS_read, 5);
    EXPECT_EQ(leave(second), those{});
    EXPECT_EQ(leave(last), those{});
    EXPECT_FALSE(is_first(third));
    EXPECT_EQ(leave(first), those{&third});
    EXPECT_TRUE(is_first(third));
    EXPECT_EQ(leave(third), those{});
}

TEST_F(turns, in_one_direction_are_no_matter_to_the_other_nor_to_other_descriptors) {
    operation &reader = join(SYS_read, 5);
    operation &writer = join(SYS_write, 5);
    operation &other = join(SYS_read, 6);
    EXPECT_TRUE(is_first(reader));
    EXPECT_TRUE(is_first(writer));
    EXPECT_TRUE(is_first(other));
    EXPECT_EQ(leave(reader), those{});
    EXPECT_EQ(lines.find(7), nullptr);
}

TEST_F(turns, are_not_waited_for_by_calls_without_a_lane) {
    operation &reader = join(SYS_read, 5);
    operation &syncing = join(SYS_fsync, 5);
    operation &at_offset = join(SYS_pread64, 5);
    EXPECT_TRUE(is_first(syncing));
    EXPECT_TRUE(is_first(at_offset));
    EXPECT_EQ(leave(syncing), those{});
    EXPECT_EQ(leave(reader), those{});
    EXPECT_EQ(leave(at_offset), those{});
    EXPECT_EQ(lines.find(5), nullptr);
}

TEST_F(turns, on_one_regular_file_are_shared_by_reads_and_writes) {
    operation &writer = join_positional(SYS_write, 5);
    operation &reader = join_positional(SYS_read, 5);
    operation &seeking = join(SYS_lseek, 5);
    operation &again = join(SYS_write, 5); // not seen to be of a regular file yet
    EXPECT_FALSE(is_first(reader));
    EXPECT_EQ(leave(writer), those{&reader});
    EXPECT_EQ(leave(reader), those{&seeking});
    EXPECT_EQ(leave(seeking), those{&again});
    EXPECT_EQ(leave(again), those{});
}

TEST_F(turns, of_a_number_that_was_a_regular_file_are_forgotten_with_the_last_call) {
    leave(join_positional(SYS_write, 5));
    operation &reader = join(SYS_read, 5); // a socket now
    operation &writer = join(SYS_write, 5);
    EXPECT_TRUE(is_first(reader));
    EXPECT_TRUE(is_first(writer));
}

TEST_F(turns, of_a_call_with_two_descriptors_come_when_both_are_free) {
    operation &reader = join(SYS_read, 5);
    operation &writer = join(SYS_write, 6);
    operation &splice = join(SYS_splice, 5, 0, 6);
    EXPECT_FALSE(is_first(splice));
    EXPECT_EQ(leave(reader), those{});
    EXPECT_FALSE(is_first(splice));
    EXPECT_EQ(leave(writer), those{&splice});
    EXPECT_TRUE(is_first(splice));
}

TEST_F(turns, of_two_calls_come_by_one_that_used_two_descriptors) {
    operation &splice = join(SYS_splice, 5, 0, 6);
    operation &reader = join(SYS_read, 5);
    operation &writer = join(SYS_write, 6);
    operation &free_reader = join(SYS_read, 6);
    EXPECT_FALSE(is_first(reader));
    EXPECT_FALSE(is_first(writer));
    EXPECT_TRUE(is_first(free_reader));
    EXPECT_EQ(leave(splice), (those{&reader, &writer}));
}

TEST_F(turns, of_a_call_that_waits_twice_behind_one_come_once) {
    operation &first = join(SYS_splice, 5, 0, 6);
    operation &second = join(SYS_splice, 5, 0, 6);
    EXPECT_EQ(leave(first), those{&second});
}

TEST_F(turns, of_calls_from_a_descriptor_to_itself_come) {
    operation &first = join(SYS_splice, 5, 0, 5);
    operation &second = join(SYS_splice, 5, 0, 5);
    EXPECT_TRUE(is_first(first));
    EXPECT_EQ(leave(first), those{&second});
    EXPECT_EQ(leave(second), those{});
    EXPECT_EQ(lines.find(5), nullptr);
}

// The two ends of a copy within one file are in one lane then: it must not wait for itself.
TEST_F(turns, of_a_copy_within_a_regular_file_come_after_a_write_to_it) {
    operation &writer = join_positional(SYS_write, 5);
    operation &copy = join(SYS_copy_file_range, 5, &offset, 5, &offset);
    operation &reader = join(SYS_read, 5);
    EXPECT_FALSE(is_first(copy));
    EXPECT_EQ(leave(writer), those{&copy});
    EXPECT_TRUE(is_first(copy));
    EXPECT_FALSE(is_first(reader));
    EXPECT_EQ(leave(copy), those{&reader}) << "and it is not its own successor";
    EXPECT_EQ(leave(reader), those{});
    EXPECT_EQ(lines.find(5), nullptr);
}

TEST_F(turns, make_a_new_call_wait_where_one_waits_already) {
    EXPECT_FALSE(is_busy(SYS_read, 5));
    operation &reader = join(SYS_read, 5);
    EXPECT_TRUE(is_busy(SYS_read, 5));
    EXPECT_TRUE(is_busy(SYS_recvfrom, 5));
    EXPECT_TRUE(is_busy(SYS_splice, 5, 0, 6));
    EXPECT_TRUE(is_busy(SYS_sendfile, 6, 5));
    EXPECT_FALSE(is_busy(SYS_sendfile, 6, 5, somewhere)) << "at an offset of its own";
    EXPECT_FALSE(is_busy(SYS_splice, 6, 0, 5)) << "the other direction";
    EXPECT_FALSE(is_busy(SYS_write, 5));
    EXPECT_FALSE(is_busy(SYS_pread64, 5));
    EXPECT_FALSE(is_busy(SYS_fsync, 5));
    EXPECT_FALSE(is_busy(SYS_read, 6));
    EXPECT_FALSE(is_busy(SYS_getpid, 5)) << "no descriptor";
    leave(reader);
    EXPECT_FALSE(is_busy(SYS_read, 5));
}

TEST_F(turns, on_a_regular_file_make_both_directions_wait) {
    operation &writer = join_positional(SYS_write, 5);
    EXPECT_TRUE(is_busy(SYS_read, 5));
    EXPECT_TRUE(is_busy(SYS_write, 5));
    EXPECT_FALSE(is_busy(SYS_pread64, 5));
    leave(writer);
    EXPECT_FALSE(is_busy(SYS_read, 5));
}

TEST_F(turns, are_not_taken_by_calls_without_a_lane) {
    join(SYS_fsync, 5);
    EXPECT_FALSE(is_busy(SYS_read, 5));
    EXPECT_FALSE(is_busy(SYS_write, 5));
}

TEST_F(turns, know_all_calls_of_a_descriptor_for_its_close) {
    operation &reader = join(SYS_read, 5);
    operation &second = join(SYS_read, 5);
    operation &writer = join(SYS_write, 5);
    operation &syncing = join(SYS_fsync, 5);
    operation &splice = join(SYS_splice, 5, 0, 6);
    EXPECT_EQ(calls_on(5), (std::multiset<operation *>{&reader, &second, &writer, &syncing, &splice}));
    EXPECT_EQ(calls_on(6), std::multiset<operation *>{&splice});
    leave(splice);
    leave(second);
    EXPECT_EQ(calls_on(5), (std::multiset<operation *>{&reader, &writer, &syncing}));
    EXPECT_EQ(lines.find(6), nullptr);
    leave(reader);
    leave(syncing);
    leave(writer);
    EXPECT_EQ(lines.find(5), nullptr);
}

TEST_F(turns, of_calls_without_a_descriptor_are_at_once) {
    operation &child = join(SYS_wait4, 1234);
    EXPECT_TRUE(is_first(child));
    EXPECT_EQ(leave(child), those{});
}

// Any calls on few descriptors, in any order, against lists of them.
TEST_F(turns, are_those_of_a_simple_model) {
    std::mt19937 random{1};
    std::map<std::pair<int, lane>, std::vector<operation *>> order;
    std::vector<operation *> present;
    const auto is_first_in_model = [&order](operation *op) {
        return std::all_of(order.begin(), order.end(), [op](const auto &line) {
            const auto &members = line.second;
            return std::find(members.begin(), members.end(), op) == members.end() || members.front() == op;
        });
    };
    for (int step = 0; step < 30'000; ++step) {
        const int from = static_cast<int>(random() % 4);
        const int to = static_cast<int>(random() % 4) + 4 * static_cast<int>(random() % 2);
        if (present.size() < 20 && random() % 2 == 0) {
            constexpr long numbers[] = {SYS_read,  SYS_write,    SYS_splice,  SYS_tee,
                                        SYS_fsync, SYS_sendfile, SYS_recvfrom};
            const long number = numbers[random() % std::size(numbers)];
            const int second = number == SYS_tee || number == SYS_sendfile ? to : 0;
            operation &op = join(number, from, second, number == SYS_splice ? to : 0);
            present.push_back(&op);
            lane_use uses[2];
            lanes_of(*op.what, op.made, false, uses);
            for (const lane_use &use : uses)
                if (use.descriptor >= 0 && use.way != lane::none) order[{use.descriptor, use.way}].push_back(&op);
        } else if (!present.empty()) {
            const auto chosen = present.begin() + static_cast<std::ptrdiff_t>(random() % present.size());
            operation *op = *chosen;
            present.erase(chosen);
            those waited;
            for (operation *other : present)
                if (!is_first_in_model(other)) waited.insert(other);
            for (auto &line : order) std::erase(line.second, op);
            those expected;
            for (operation *other : waited)
                if (is_first_in_model(other)) expected.insert(other);
            ASSERT_EQ(leave(*op), expected) << "step " << step;
            enter(*op, laio::state::done);
            enter(*op, laio::state::free);
            ops.give_back(*op);
        }
        for (operation *op : present) ASSERT_EQ(is_first(*op), is_first_in_model(op)) << "step " << step;
        const bool reading = !order[{from, lane::in}].empty();
        ASSERT_EQ(is_busy(SYS_read, from), reading) << "step " << step;
        ASSERT_EQ(is_busy(SYS_write, from), (!order[{from, lane::out}].empty())) << "step " << step;
    }
}

TEST_F(turns, of_many_descriptors_are_kept_apart) {
    std::vector<operation *> readers(10'000);
    std::vector<operation *> behind(10'000);
    for (std::size_t i = 0; i < readers.size(); ++i) readers[i] = &join(SYS_recvfrom, i);
    for (std::size_t i = 0; i < behind.size(); ++i) behind[i] = &join(SYS_recvfrom, i);
    for (std::size_t i = 0; i < readers.size(); ++i) {
        ASSERT_TRUE(is_first(*readers[i]));
        ASSERT_FALSE(is_first(*behind[i]));
        ASSERT_EQ(leave(*readers[i]), those{behind[i]});
        ASSERT_EQ(leave(*behind[i]), those{});
        ASSERT_EQ(lines.find(static_cast<int>(i)), nullptr);
    }
}

// ---- No memory -------------------------------------------------------------------------------------------------------

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// In a child: a call that finds no place for its second descriptor has none on its first either.
[[noreturn]] void join_without_memory() {
    pool ops{64};
    descriptors lines;
    const auto make = [&ops](long number, long a0, long a2) -> operation & {
        operation *op = ops.take();
        const long words[6] = {a0, 0, a2};
        prepare(*op, *laio::find_row(number), number, words);
        return *op;
    };
    operation &splice = make(SYS_splice, 5, 6);
    operation &first = make(SYS_read, 5, 0);
    operation &second = make(SYS_read, 5, 0);
    operation &other = make(SYS_read, 6, 0);
    if (!lines.join(first)) _exit(2);
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_AS, &none) != 0) _exit(3);
    for (std::size_t size = 1U << 20U; size > 0; size /= 2)
        while (void *taken = std::malloc(size)) *static_cast<volatile char *>(taken) = 1; // kept: all there is
    if (lines.join(other) || lines.find(6) != nullptr) _exit(4);
    if (lines.join(splice) || lines.find(6) != nullptr) _exit(5);
    if (!lines.join(second) || descriptors::is_first(second)) _exit(6); // on a descriptor that is known
    operation *next[2];
    lines.leave(first, next);
    if (next[0] != &second || next[1] != nullptr) _exit(7);
    lines.leave(second, next);
    if (next[0] != nullptr || next[1] != nullptr || lines.find(5) != nullptr) _exit(8);
    _exit(lines.join(other) ? 0 : 9); // what the others gave back
}

TEST(joining, without_memory_fails_and_leaves_nothing_behind) {
    EXPECT_EXIT(join_without_memory(), testing::ExitedWithCode(0), "");
}
#else
TEST(joining, without_memory_fails_and_leaves_nothing_behind) { GTEST_SKIP() << "a sanitizer needs memory of its own"; }
#endif

} // namespace
