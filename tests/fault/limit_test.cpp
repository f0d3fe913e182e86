// At the limits: a ring with one entry, operations_max, ten thousand calls at once, carriers that are all taken
// (laio_init(3)). What is refused is refused with the documented error, and what was taken is not lost.
#include "harness.hpp"

#include <algorithm>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class limits : public contract_test {};

constexpr outcome cancelled{-1, ECANCELED};

// A submission queue of one, and a thousand reads at once, of a file that is not in memory and of a socket.
TEST_P(limits, ring_of_one_entry) {
    laio_options options = options_of_set();
    options.ring_entries = 1;
    restart_loop(options);
    constexpr std::size_t count = 1000;
    constexpr std::size_t block = 4096;
    const directory files;
    const std::string content = pattern(count * block);
    const descriptor file = files.file("a", content);
    const descriptor_pair pair = make_unix_pair();
    posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM);
    make_cold(file.get());
    std::vector<std::string> blocks(count, std::string(block, '\0'));
    std::string bytes(count, '\0');
    std::vector<call_record *> reads;
    std::vector<call_record *> receives;
    for (std::size_t index = 0; index < count; ++index) {
        const std::size_t place = index * 7 % count * block;
        reads.push_back(begin(SYS_pread64, file.get(), blocks[index].data(), block, place));
        receives.push_back(begin(SYS_recvfrom, pair.near.get(), &bytes[index], 1, 0, nullptr, nullptr));
    }
    write_all(pair.far.get(), content.substr(0, count));
    finish_all();
    for (std::size_t index = 0; index < count; ++index) {
        EXPECT_EQ(reads[index]->result, (outcome{block, 0}));
        EXPECT_TRUE(blocks[index] == content.substr(index * 7 % count * block, block)) << "read " << index;
        EXPECT_EQ(receives[index]->result, (outcome{1, 0}));
    }
    EXPECT_TRUE(bytes == content.substr(0, count));
}

// laio_init(3): operations_max background calls at once; beyond it ENOMEM.
TEST_P(limits, operations_max) {
    for (const std::uint32_t limit : {1U, 8U, 64U, 100U}) {
        laio_options options = options_of_set();
        options.operations_max = limit;
        restart_loop(options);
        const descriptor_pair pair = make_unix_pair();
        std::string bytes(limit + 3, '\0');
        std::vector<call_record *> calls;
        for (std::size_t index = 0; index < limit; ++index) {
            calls.push_back(begin(SYS_recvfrom, pair.near.get(), &bytes[index], 1, 0, nullptr, nullptr));
            EXPECT_FALSE(calls.back()->is_direct()) << index << " of " << limit << ": " << calls.back()->result;
        }
        for (std::size_t index = limit; index < limit + 3; ++index) {
            const outcome refused = done(SYS_recvfrom, pair.near.get(), &bytes[index], 1, 0, nullptr, nullptr);
            EXPECT_EQ(refused, (outcome{-1, ENOMEM})) << index << " of " << limit;
            if (refused.value == -1 && refused.error != ENOMEM) break;
        }
        EXPECT_EQ(laio_outstanding(), static_cast<int>(limit));
        EXPECT_EQ(done(SYS_getpid).value, getpid()); // direct calls take none
        const std::string sent = pattern(limit, 5);
        write_all(pair.far.get(), sent);
        finish_all();
        EXPECT_EQ(bytes.substr(0, limit), sent);
        call_record *again = begin(SYS_recvfrom, pair.near.get(), bytes.data(), 1, 0, nullptr, nullptr);
        write_all(pair.far.get(), "x");
        EXPECT_EQ(finish(again), (outcome{1, 0}));
    }
}

TEST_P(limits, ten_thousand_outstanding_calls) {
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const bool has_room = set().has_readiness() && set().has_attempts();
    const std::size_t count = !has_room ? 500 : sanitized ? 2000 : 10000;
    // A socket for each where there are enough descriptors, else several calls on each.
    const std::size_t sockets = std::min(count, (static_cast<std::size_t>(limit.rlim_cur) - 100) / 2);
    std::vector<descriptor_pair> pairs;
    for (std::size_t index = 0; index < sockets; ++index) pairs.push_back(make_unix_pair());
    std::vector<std::uint32_t> values(count);
    std::vector<call_record *> calls;
    const std::size_t threads_before = threads();
    for (std::size_t index = 0; index < count; ++index) {
        calls.push_back(begin(SYS_recvfrom, pairs[index % sockets].near.get(), &values[index], sizeof(std::uint32_t),
                              MSG_WAITALL, nullptr, nullptr));
        ASSERT_FALSE(calls.back()->is_direct()) << index << ": " << calls.back()->result;
    }
    EXPECT_EQ(laio_outstanding(), static_cast<int>(count));
    if (has_room) { EXPECT_EQ(threads(), threads_before) << "a thread for a call that waits for a socket"; }
    // In an order of its own; a few are cancelled.
    for (std::size_t turn = 0; turn < count; ++turn) {
        const std::size_t index = count - 1 - turn;
        if (index % 100 == 7 && index + sockets >= count) { EXPECT_EQ(laio_cancel(calls[index]->handle), 0); }
    }
    std::vector<std::uint32_t> expected(count);
    for (std::size_t index = 0; index < count; ++index) {
        if (index % 100 == 7 && index + sockets >= count) continue;
        expected[index] = static_cast<std::uint32_t>(index + 1);
        write_all(pairs[index % sockets].far.get(),
                  {reinterpret_cast<const char *>(&expected[index]), sizeof expected[index]});
    }
    finish_all();
    for (std::size_t index = 0; index < count; ++index) {
        ASSERT_EQ(calls[index]->result, expected[index] == 0 ? cancelled : (outcome{4, 0})) << index;
        ASSERT_EQ(values[index], expected[index]);
    }
}

// ---- Carriers ----------------------------------------------------------------------------------------------------------

constexpr std::size_t contenders = 64;

// A lock that one holds and many wait for, on carriers.
struct contended_lock {
    directory files;
    descriptor holder = files.file("a", "");
    std::vector<descriptor> waiters;
    std::vector<call_record *> calls;

    contended_lock() {
        EXPECT_EQ(flock(holder.get(), LOCK_EX), 0);
        for (std::size_t index = 0; index < contenders; ++index) {
            waiters.emplace_back(open(files.path("a").c_str(), O_RDWR | O_CLOEXEC));
            calls.push_back(begin(SYS_flock, waiters.back().get(), LOCK_EX));
            EXPECT_FALSE(calls.back()->is_direct());
        }
    }
    // Whoever has it gives it back, through the library, until all have had it.
    void expect_all_have_it_in_turn() {
        std::vector<bool> had(contenders, false);
        for (std::size_t count = 0; count < contenders;) {
            for (std::size_t index = 0; index < contenders; ++index) {
                if (had[index] || !calls[index]->complete) continue;
                EXPECT_EQ(calls[index]->result, (outcome{0, 0}));
                EXPECT_EQ(done(SYS_flock, waiters[index].get(), LOCK_UN), (outcome{0, 0}));
                had[index] = true;
                ++count;
            }
            if (count < contenders) { ASSERT_GE(collect(-1), 0); }
        }
    }
};

laio_options few_carriers() {
    laio_options options = options_of_set();
    options.carriers_max = 2;
    options.carriers_hard_max = 2;
    return options;
}

// laio_init(3): calls that wait for a lock must not keep out the one that gives it back, however few carriers there are.
TEST_P(limits, lock_is_given_back_though_all_carriers_wait_for_it) {
    restart_loop(few_carriers());
    contended_lock lock;
    EXPECT_LE(stats_now().carriers, 2U);
    EXPECT_GE(stats_now().queue_depth, contenders - 2);
    EXPECT_EQ(done(SYS_flock, lock.holder.get(), LOCK_UN), (outcome{0, 0}));
    lock.expect_all_have_it_in_turn();
    EXPECT_EQ(stats_now().queue_depth, 0U);
    EXPECT_EQ(stats_now().carriers_peak, 2U);
}

TEST_P(limits, record_lock_is_given_back_though_all_carriers_wait_for_it) {
    restart_loop(few_carriers());
    const directory files;
    const descriptor holder = files.file("a", "");
    struct flock lock {};
    lock.l_type = F_WRLCK;
    ASSERT_EQ(fcntl(holder.get(), F_OFD_SETLK, &lock), 0);
    std::vector<descriptor> waiters;
    std::vector<call_record *> calls;
    for (int index = 0; index < 8; ++index) {
        waiters.emplace_back(open(files.path("a").c_str(), O_RDWR | O_CLOEXEC));
        calls.push_back(begin(SYS_fcntl, waiters.back().get(), F_OFD_SETLKW, &lock));
        ASSERT_FALSE(calls.back()->is_direct());
    }
    struct flock unlock = lock;
    unlock.l_type = F_UNLCK;
    EXPECT_EQ(done(SYS_fcntl, holder.get(), F_OFD_SETLKW, &unlock), (outcome{0, 0}));
    std::vector<bool> had(calls.size(), false);
    for (std::size_t count = 0; count < calls.size();) {
        for (std::size_t index = 0; index < calls.size(); ++index) {
            if (had[index] || !calls[index]->complete) continue;
            EXPECT_EQ(calls[index]->result, (outcome{0, 0}));
            EXPECT_EQ(done(SYS_fcntl, waiters[index].get(), F_OFD_SETLKW, &unlock), (outcome{0, 0}));
            had[index] = true;
            ++count;
        }
        if (count < calls.size()) { ASSERT_GE(collect(-1), 0); }
    }
}

// The queue may grow past the soft bound when a call has waited for a carrier for long: another file's call gets through.
TEST_P(limits, queue_grows_past_the_soft_bound) {
    laio_options options = few_carriers();
    options.carriers_hard_max = 200;
    restart_loop(options);
    contended_lock lock;
    const descriptor file = lock.files.file("b", "content");
    const std::string path = lock.files.path("b");
    EXPECT_EQ(done(SYS_fsync, file.get()), (outcome{0, 0}));
    EXPECT_EQ(done(SYS_unlink, path.c_str()), (outcome{0, 0}));
    EXPECT_GT(stats_now().carriers_peak, 2U);
    EXPECT_EQ(flock(lock.holder.get(), LOCK_UN), 0);
    lock.expect_all_have_it_in_turn();
}

TEST_P(limits, queued_calls_are_cancelled) {
    restart_loop(few_carriers());
    contended_lock lock;
    for (std::size_t index = contenders; index-- > 2;) EXPECT_EQ(laio_cancel(lock.calls[index]->handle), 0);
    for (std::size_t index = 2; index < contenders; ++index) EXPECT_EQ(finish(lock.calls[index]), cancelled);
    EXPECT_EQ(laio_outstanding(), 2);
    EXPECT_EQ(laio_cancel(lock.calls[0]->handle), 0);
    EXPECT_EQ(laio_cancel(lock.calls[1]->handle), 0);
    finish_all();
    EXPECT_EQ(lock.calls[0]->result, cancelled);
    EXPECT_EQ(lock.calls[1]->result, cancelled);
}

TEST_P(limits, fini_with_a_long_queue) {
    restart_loop(few_carriers());
    const contended_lock lock;
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(flock(lock.holder.get(), LOCK_UN), 0);
    EXPECT_EQ(flock(lock.holder.get(), LOCK_EX | LOCK_NB), 0);
}

LAIO_CONTRACT_SUITE(limits);

} // namespace
} // namespace laio::test
