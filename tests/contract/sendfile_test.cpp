// sendfile(2) to a socket: made in place while its bytes are in memory, by a carrier once some were not, and never from a file
// that was given the input's number since (laio_calls(7); laio(7), "Closing"; decision 0024).
//
// Whether a file stays out of memory until it is sent, and whether a call in place is left behind, is the machine's business:
// where it does not happen the test is skipped aloud.
#include "harness.hpp"

#include <climits>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr std::size_t size = 32768; // a socket has room for it at once
constexpr int tries = 100;          // of which one should be left behind

class sending : public contract_test {
protected:
    // Why there is nothing to see here.
    std::string why_not() {
        EXPECT_EQ(done(SYS_access, "/", 0), (outcome{0, 0})); // the first that needs activations makes their threads
        if (std::string reason = why_not_in_place(); !reason.empty()) return reason;
        if (!set().has_attempts()) return "no attempts in this set: nothing is asked before";
        if (!set().has_nowait()) return "no RWF_NOWAIT in this set: it is not seen that bytes are under read";
        if (files_.on_tmpfs()) return "this directory is in memory";
        return {};
    }

    descriptor cold_file(std::size_t bytes = size) {
        descriptor file = files_.file("cold" + std::to_string(made_++), pattern(bytes, 6));
        make_cold(file.get());
        posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM); // nothing is read ahead: it takes a while
        return file;
    }

    // Sends it, whole. Whether it returned directly.
    bool send(int file) {
        long offset = 0;
        call_record *call = begin(SYS_sendfile, pair_.near.get(), file, &offset, size);
        const bool direct = call->is_direct();
        EXPECT_EQ(finish(call), (outcome{size, 0}));
        EXPECT_EQ(offset, static_cast<long>(size));
        EXPECT_TRUE(read_all(pair_.far.get(), size) == pattern(size, 6));
        return direct;
    }

    // Until one was left behind in place.
    bool is_left_behind() {
        const std::uint64_t before = stats_now().claims;
        for (int i = 0; i < tries && stats_now().claims == before; ++i) send(cold_file().get());
        return stats_now().claims > before;
    }

    void expect_in_place(int file) {
        unsigned queued = 0;
        for (int i = 0; i < 100; ++i) queued += send(file) ? 0 : 1;
        EXPECT_LE(queued, 10U) << "what is in memory goes to the background"; // the kernel may take some back
    }

    const directory files_;
    const descriptor_pair pair_ = make_unix_pair();
    unsigned made_ = 0;
};

#define NEEDS_LOOKS()                                                                                                  \
    if (const std::string reason = why_not(); !reason.empty()) GTEST_SKIP() << reason
#define NEEDS_ONE_LEFT_BEHIND()                                                                                        \
    if (!is_left_behind()) GTEST_SKIP() << "no sendfile(2) of what should be on the disk was left behind"

TEST_P(sending, of_files_on_the_disk_goes_to_a_carrier) {
    NEEDS_LOOKS();
    NEEDS_ONE_LEFT_BEHIND();
    constexpr unsigned files_sent = 24;
    const struct laio_stats before = stats_now();
    unsigned in_place = 0;
    for (unsigned i = 0; i < files_sent; ++i) in_place += send(cold_file().get()) ? 1 : 0;
    if (in_place > files_sent / 2) GTEST_SKIP() << "what is in memory stays there on this file system";
    EXPECT_LE(stats_now().claims - before.claims, 2U); // what was seen in memory may be thrown out before it is sent
    EXPECT_GT(stats_now().queued, before.queued);
}

TEST_P(sending, of_a_file_in_memory_stays_in_place) {
    NEEDS_LOOKS();
    const descriptor file = files_.file("warm", pattern(size, 6));
    NEEDS_ONE_LEFT_BEHIND();
    expect_in_place(file.get());
}

// Those at the file's own offset cannot be asked for: that one of them was left behind says nothing of the others.
TEST_P(sending, that_was_left_behind_without_an_offset_makes_nobody_ask) {
    NEEDS_LOOKS();
    const std::uint64_t before = stats_now().claims;
    for (int i = 0; i < tries && stats_now().claims == before; ++i) {
        const descriptor file = cold_file();
        EXPECT_EQ(done(SYS_sendfile, pair_.near.get(), file.get(), nullptr, size), (outcome{size, 0}));
        EXPECT_EQ(read_all(pair_.far.get(), size).size(), size);
    }
    if (stats_now().claims == before) GTEST_SKIP() << "no sendfile(2) of what should be on the disk was left behind";
    const std::uint64_t queued = stats_now().queued;
    send(cold_file().get());
    EXPECT_EQ(stats_now().queued, queued);
}

// A long one whose first step is left behind asks before its next ones.
TEST_P(sending, of_a_long_file_asks_before_each_step) {
    NEEDS_LOOKS();
    constexpr std::size_t length = 4U << 20U;
    const descriptor file = cold_file(length);
    const std::uint64_t before = stats_now().claims;
    long offset = 0;
    call_record *call = begin(SYS_sendfile, pair_.near.get(), file.get(), &offset, length);
    std::string got;
    std::thread reader{[&] { got = read_all(pair_.far.get(), length); }};
    EXPECT_EQ(finish(call), (outcome{length, 0}));
    reader.join();
    EXPECT_TRUE(got == pattern(length, 6));
    const std::uint64_t claims = stats_now().claims - before;
    if (claims == 0) GTEST_SKIP() << "no sendfile(2) of what should be on the disk was left behind";
    EXPECT_LE(claims, 3U);
}

TEST_P(sending, of_offsets_that_are_odd) {
    NEEDS_LOOKS();
    NEEDS_ONE_LEFT_BEHIND();
    const descriptor file = cold_file();
    alignas(8) std::array<char, 24> memory{};
    char *odd = memory.data() + 3;
    EXPECT_EQ(done(SYS_sendfile, pair_.near.get(), file.get(), odd, 100), (outcome{100, 0}));
    long offset = 0;
    std::memcpy(&offset, odd, sizeof offset);
    EXPECT_EQ(offset, 100);
    for (const long at : {LONG_MAX, LONG_MAX - 10, LONG_MIN, -1L, 1L << 40}) {
        for (const long count : {1L, 1000L, 1L << 20}) {
            long ours = at;
            long theirs = at;
            EXPECT_EQ(done(SYS_sendfile, pair_.near.get(), file.get(), &ours, count),
                      plain(SYS_sendfile, pair_.near.get(), file.get(), &theirs, count))
                << at << ", " << count;
            EXPECT_EQ(ours, theirs);
        }
    }
    EXPECT_EQ(done(SYS_sendfile, pair_.near.get(), file.get(), 16L, 100), (outcome{-1, EFAULT}));
}

// A directory with another one over it, which has what is in it in its own name.
class overlay {
public:
    explicit overlay(const directory &in) : in_{in} {
        for (const char *name : {"lower", "upper", "work", "merged"}) std::filesystem::create_directory(in.path(name));
        const std::string options =
            "lowerdir=" + in.path("lower") + ",upperdir=" + in.path("upper") + ",workdir=" + in.path("work");
        if (mount("overlay", in.path("merged").c_str(), "overlay", 0, options.c_str()) != 0) error_ = errno;
    }
    ~overlay() {
        if (error_ == 0) umount2(in_.path("merged").c_str(), MNT_DETACH);
    }
    overlay(const overlay &) = delete;
    overlay &operator=(const overlay &) = delete;
    [[nodiscard]] int error() const { return error_; }

private:
    const directory &in_;
    int error_ = 0;
};

TEST_P(sending, of_a_file_in_memory_behind_an_overlay_stays_in_place) {
    NEEDS_LOOKS();
    const overlay over{files_};
    if (over.error() != 0) GTEST_SKIP() << "no overlay can be mounted: " << std::strerror(over.error());
    { const descriptor lower = files_.file("lower/warm", pattern(size, 6)); }
    const descriptor file{open(files_.path("merged/warm").c_str(), O_RDONLY | O_CLOEXEC)};
    ASSERT_GE(file.get(), 0);
    NEEDS_ONE_LEFT_BEHIND();
    expect_in_place(file.get());
}

// laio(7), K3: a carrier that gets to it late does not read what has got the number since.
TEST_P(sending, never_reads_a_file_that_got_the_number_while_it_was_queued) {
    laio_options options = options_of_set();
    options.carriers_max = options.carriers_hard_max = 2;
    restart_loop(options);
    const descriptor input = files_.file("input", pattern(size, 1));
    const descriptor other = files_.file("other", pattern(size, 2));
    descriptor lock = files_.file("lock", "");
    ASSERT_EQ(flock(lock.get(), LOCK_EX), 0);
    std::vector<descriptor> waiting; // they take all carriers
    std::vector<call_record *> calls;
    for (int i = 0; i < 6; ++i) {
        waiting.emplace_back(open(files_.path("lock").c_str(), O_RDWR | O_CLOEXEC));
        calls.push_back(begin(SYS_flock, waiting.back().get(), LOCK_SH));
        EXPECT_FALSE(calls.back()->is_direct());
    }
    long offset = 0;
    call_record *call = begin(SYS_sendfile, pair_.near.get(), input.get(), &offset, size);
    ASSERT_FALSE(call->is_direct());
    EXPECT_GT(stats_now().queue_depth, 0U);
    ASSERT_EQ(dup2(other.get(), input.get()), input.get());
    lock.reset();
    EXPECT_EQ(finish(call), (outcome{-1, EBADF}));
    EXPECT_FALSE(is_readable(pair_.far.get())) << "something was sent";
    finish_all();
    for (const call_record *one : calls) EXPECT_EQ(one->result, (outcome{0, 0}));
}

// Its own file is not held by a duplicate, whose close would give up the process's locks on it.
TEST_P(sending, keeps_the_locks_of_its_file) {
    const descriptor file = cold_file();
    struct flock whole {};
    whole.l_type = F_WRLCK;
    ASSERT_EQ(fcntl(file.get(), F_SETLK, &whole), 0);
    for (int i = 0; i < 4; ++i) {
        make_cold(file.get());
        send(file.get());
    }
    expect_in_child([&] {
        struct flock asked {};
        asked.l_type = F_WRLCK;
        EXPECT_EQ(fcntl(file.get(), F_GETLK, &asked), 0);
        EXPECT_EQ(asked.l_type, F_WRLCK) << "the lock is gone";
    });
}

LAIO_CONTRACT_SUITE(sending);

} // namespace
} // namespace laio::test
