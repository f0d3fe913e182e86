// A random schedule of everything at once: streams that are written and read in random portions, cancelled and closed, file
// reads and writes, locks, sleeps. It prints its seed, and LAIO_TEST_SEED repeats it.
//
// What must hold at any time: every call completes exactly once (the harness looks), what a stream's reads got is what its
// writes say they gave, in order, no byte lost or doubled, files hold what was written, and a lock has one holder.
#include "harness.hpp"

#include <algorithm>
#include <fcntl.h>
#include <memory>
#include <random>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

constexpr int steps = sanitized ? 4000 : 20000;

class dice {
public:
    explicit dice(std::uint64_t seed) : engine_{seed} {}
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }
    bool one_in(std::size_t odds) { return below(odds) == 0; }

private:
    std::mt19937_64 engine_;
};

void cancel_if_waiting(const call_record *call) {
    if (!call->complete) { EXPECT_EQ(laio_cancel(call->handle), 0); }
}

// A pipe or socket that is written at one end and read at the other, both through the library.
class stream {
public:
    explicit stream(dice &random) : random_{&random} {
        switch (random.below(3)) {
        case 0: {
            pipe_ends ends = make_pipe();
            ends_ = {std::move(ends.reader), std::move(ends.writer)};
            break;
        }
        case 1: ends_ = make_unix_pair(); break;
        default: ends_ = make_tcp_pair();
        }
        int type = 0;
        socklen_t length = sizeof type;
        is_socket_ = getsockopt(ends_.near.get(), SOL_SOCKET, SO_TYPE, &type, &length) == 0;
    }

    void act() {
        switch (random_->below(8)) {
        case 0:
        case 1:
        case 2: add(writes_, pattern(1 + random_->below(random_->one_in(8) ? 150000 : 3000), ++portions_), true); break;
        case 3:
        case 4:
        case 5: add(reads_, std::string(1 + random_->below(random_->one_in(8) ? 150000 : 3000), '\0'), false); break;
        default:
            if (random_->one_in(3)) cancel_one(random_->one_in(2) ? reads_ : writes_);
        }
    }

    // Ends it in one of the ways there are, and compares what went in with what came out.
    void end() {
        int writer = ends_.far.get();
        if (random_->one_in(2)) {
            EXPECT_EQ(done(SYS_close, ends_.far.release()), (outcome{0, 0}));
            writer = -1;
        }
        for (const portions *all : {&reads_, &writes_})
            for (const auto &one : *all) cancel_if_waiting(one->call);
        for (const portions *all : {&reads_, &writes_})
            for (const auto &one : *all) finish(one->call);
        if (writer >= 0) ends_.far.reset();
        const std::string sent = content(writes_);
        std::string seen = content(reads_);
        seen += read_all(ends_.near.get(), sent.size() + 1);
        EXPECT_EQ(seen.size(), sent.size());
        const auto differs = std::mismatch(seen.begin(), seen.end(), sent.begin(), sent.end());
        EXPECT_TRUE(seen == sent) << "from byte " << differs.first - seen.begin() << " of " << seen.size()
                                  << (is_socket_ ? " of a socket" : " of a pipe");
    }

private:
    struct portion {
        std::string bytes;
        call_record *call;
    };
    using portions = std::vector<std::unique_ptr<portion>>;

    static std::string content(const portions &all) {
        std::string bytes;
        for (const auto &one : all) {
            const outcome &result = one->call->result;
            EXPECT_TRUE(result.value >= 0 || result.error == ECANCELED)
                << result << " of call " << one->call->number << " for " << one->bytes.size()
                << " bytes"; // 0: the writer was closed
            bytes += one->bytes.substr(0, static_cast<std::size_t>(std::max(result.value, 0L)));
        }
        return bytes;
    }

    void add(portions &all, std::string bytes, bool is_write) {
        constexpr std::size_t waiting_max = 6;
        const auto waiting =
            std::count_if(all.begin(), all.end(), [](const auto &one) { return !one->call->complete; });
        if (static_cast<std::size_t>(waiting) >= waiting_max) return;
        auto &made = *all.emplace_back(std::make_unique<portion>(portion{std::move(bytes), nullptr}));
        const int fd = is_write ? ends_.far.get() : ends_.near.get();
        char *start = made.bytes.data();
        const std::size_t size = made.bytes.size();
        if (is_socket_ && random_->one_in(2)) {
            made.call = begin(is_write ? SYS_sendto : SYS_recvfrom, fd, start, size, 0, nullptr, nullptr);
        } else if (random_->one_in(3)) {
            const std::array<iovec, 2> pieces{iovec{start, size / 3}, iovec{start + size / 3, size - size / 3}};
            made.call = begin(is_write ? SYS_writev : SYS_readv, fd, pieces.data(), pieces.size());
        } else {
            made.call = begin(is_write ? SYS_write : SYS_read, fd, start, size);
        }
    }

    void cancel_one(const portions &all) {
        if (!all.empty())
            cancel_if_waiting(all[all.size() - 1 - random_->below(std::min<std::size_t>(all.size(), 6))]->call);
    }

    dice *random_;
    descriptor_pair ends_;
    bool is_socket_ = false;
    portions writes_;
    portions reads_;
    std::uint32_t portions_ = 0;
};

// A file of blocks, each of which says which write was its last.
class blocks {
public:
    explicit blocks(dice &random) : random_{&random}, file_{files_.file("blocks", std::string(count * size, '\0'))} {}

    void act() {
        const std::size_t number = random_->below(count);
        block &chosen = all_[number];
        if (chosen.call != nullptr && !chosen.call->complete) return;
        settle(chosen);
        if (random_->one_in(16)) make_cold(file_.get());
        chosen.is_write = random_->one_in(2);
        if (chosen.is_write) chosen.bytes = pattern(size, ++writes_);
        else chosen.bytes.assign(size, '\0');
        chosen.call =
            begin(chosen.is_write ? SYS_pwrite64 : SYS_pread64, file_.get(), chosen.bytes.data(), size, number * size);
    }

    void end() {
        for (block &one : all_) {
            if (one.call != nullptr) finish(one.call);
            settle(one);
        }
        std::string expected;
        for (const block &one : all_) expected += one.content;
        EXPECT_EQ(lseek(file_.get(), 0, SEEK_SET), 0);
        EXPECT_TRUE(read_all(file_.get(), count * size + 1) == expected);
    }

private:
    static constexpr std::size_t count = 32;
    static constexpr std::size_t size = 5000;
    struct block {
        std::string content = std::string(size, '\0');
        std::string bytes;
        call_record *call = nullptr;
        bool is_write = false;
    };

    static void settle(block &one) {
        if (one.call == nullptr) return;
        EXPECT_EQ(one.call->result, (outcome{size, 0}));
        if (one.is_write) one.content = one.bytes;
        else EXPECT_TRUE(one.bytes == one.content);
        one.call = nullptr;
    }

    dice *random_;
    directory files_;
    descriptor file_;
    std::array<block, count> all_;
    std::uint32_t writes_ = 0;
};

// One lock and several who want it: it never has two holders, and nobody waits for ever.
class lock {
public:
    explicit lock(dice &random) : random_{&random} {
        files_.file("lock", "");
        for (contender &one : all_) one.own = descriptor{open(files_.path("lock").c_str(), O_RDWR | O_CLOEXEC)};
    }

    void act() {
        int holders = 0;
        for (contender &one : all_) {
            settle(one);
            holders += one.holds ? 1 : 0;
        }
        EXPECT_LE(holders, 1);
        contender &chosen = all_[random_->below(all_.size())];
        if (chosen.holds) {
            EXPECT_EQ(done(SYS_flock, chosen.own.get(), LOCK_UN), (outcome{0, 0}));
            chosen.holds = false;
        } else if (chosen.call == nullptr) {
            chosen.call = begin(SYS_flock, chosen.own.get(), LOCK_EX);
        } else if (random_->one_in(4)) {
            cancel_if_waiting(chosen.call);
        }
    }

    void end() {
        for (std::size_t waiting = 1; waiting > 0;) {
            waiting = 0;
            for (contender &one : all_) {
                settle(one);
                if (one.holds) {
                    EXPECT_EQ(done(SYS_flock, one.own.get(), LOCK_UN), (outcome{0, 0}));
                    one.holds = false;
                }
                waiting += one.call != nullptr ? 1 : 0;
            }
            if (waiting > 0) collect(-1);
        }
    }

private:
    struct contender {
        descriptor own;
        call_record *call = nullptr;
        bool holds = false;
    };

    static void settle(contender &one) {
        if (one.call == nullptr || !one.call->complete) return;
        EXPECT_TRUE(one.call->result == (outcome{0, 0}) || one.call->result == (outcome{-1, ECANCELED}))
            << one.call->result;
        one.holds = one.call->result.value == 0;
        one.call = nullptr;
    }

    dice *random_;
    directory files_;
    std::array<contender, 4> all_;
};

class sleeps {
public:
    explicit sleeps(dice &random) : random_{&random} {}
    void act() {
        const timespec time{0, static_cast<long>(random_->below(2000000))};
        call_record *call = begin(SYS_nanosleep, &time, nullptr); // the library copies the timespec
        if (random_->one_in(4)) cancel_if_waiting(call);
    }

private:
    dice *random_;
};

class stress : public contract_test {};

TEST_P(stress, everything_at_once) {
    dice random{seed()};
    std::array<std::unique_ptr<stream>, 6> streams;
    for (auto &one : streams) one = std::make_unique<stream>(random);
    blocks file{random};
    lock contended{random};
    sleeps naps{random};
    for (int step = 0; step < steps && !HasFailure(); ++step) {
        const std::size_t choice = random.below(100);
        auto &chosen = streams[random.below(streams.size())];
        if (choice < 70) {
            chosen->act();
        } else if (choice < 80) {
            file.act();
        } else if (choice < 88) {
            contended.act();
        } else if (choice < 90) {
            naps.act();
        } else if (choice < 91) {
            chosen->end();
            chosen = std::make_unique<stream>(random);
        } else {
            EXPECT_GE(collect(0, 1 + static_cast<int>(random.below(16))), 0);
        }
    }
    for (const auto &one : streams) one->end();
    file.end();
    contended.end();
    finish_all();
    const struct laio_stats stats = stats_now();
    EXPECT_EQ(stats.outstanding, 0U);
    EXPECT_EQ(stats.ring_in_flight, 0U);
    EXPECT_EQ(stats.queue_depth, 0U);
}

LAIO_CONTRACT_SUITE(stress);

} // namespace
} // namespace laio::test
