// Many calls that wait for each other, with the default options: 64 calls, as many as there are carriers, and 1,000. What
// they wait for comes by a call that is made after them, through the library as well; all of them complete.
#include "harness.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

class crowd : public contract_test {
protected:
    void SetUp() override {
        getrlimit(RLIMIT_NOFILE, &limit_before_);
        rlimit limit = limit_before_;
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        contract_test::SetUp();
    }
    void TearDown() override {
        contract_test::TearDown();
        setrlimit(RLIMIT_NOFILE, &limit_before_);
    }

    // Whether so many can be open at once.
    static bool has_room_for(std::size_t count) {
        constexpr std::size_t others = 500;
        rlimit limit{};
        return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= count + others;
    }

    static void expect_locks_in_turn(std::size_t count);
    static void expect_fifo_opens(std::size_t count);
    static void expect_record_locks(std::size_t count);

private:
    rlimit limit_before_{};
};

// Each waits for the lock of one file, which is given back through the library by the one after them, and then by each.
void crowd::expect_locks_in_turn(std::size_t count) {
    if (!has_room_for(count)) GTEST_SKIP() << "not so many descriptors here";
    const directory files;
    const descriptor holder = files.file("a", "");
    ASSERT_EQ(flock(holder.get(), LOCK_EX), 0);
    std::vector<descriptor> waiters;
    std::vector<call_record *> calls;
    for (std::size_t one = 0; one < count; ++one) {
        waiters.emplace_back(open(files.path("a").c_str(), O_RDWR | O_CLOEXEC));
        calls.push_back(begin(SYS_flock, waiters.back().get(), LOCK_EX));
        ASSERT_FALSE(calls.back()->is_direct());
    }
    EXPECT_EQ(laio_outstanding(), static_cast<int>(count));
    EXPECT_EQ(done(SYS_flock, holder.get(), LOCK_UN), (outcome{0, 0}));
    std::vector<bool> had(count, false);
    for (std::size_t turns = 0; turns < count; ++turns) {
        std::size_t next = count;
        while (next == count) {
            for (std::size_t one = 0; one < count && next == count; ++one)
                if (!had[one] && calls[one]->complete) next = one;
            if (next == count) { ASSERT_GE(collect(-1), 0); }
        }
        had[next] = true;
        EXPECT_EQ(calls[next]->result, (outcome{0, 0}));
        EXPECT_EQ(done(SYS_flock, waiters[next].get(), LOCK_UN), (outcome{0, 0}));
    }
    EXPECT_EQ(laio_outstanding(), 0);
}

// Each opens a FIFO for reading, until the one after them opens it for writing. That call may itself have to wait for a
// carrier.
class fifo_crowd {
public:
    explicit fifo_crowd(std::size_t count) {
        EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
        for (std::size_t one = 0; one < count; ++one) add(O_RDONLY);
        for (const call_record *call : calls_) EXPECT_FALSE(call->is_direct());
    }
    void open_for_writing() { add(O_WRONLY); }
    void expect_complete() {
        for (call_record *call : calls_) {
            const outcome result = finish(call);
            EXPECT_GE(result.value, 0) << result;
            if (result.value >= 0) close(static_cast<int>(result.value));
        }
    }

private:
    void add(int flags) { calls_.push_back(begin(SYS_openat, AT_FDCWD, path_.c_str(), flags | O_CLOEXEC)); }

    directory files_;
    std::string path_ = files_.path("fifo");
    std::vector<call_record *> calls_;
};

void crowd::expect_fifo_opens(std::size_t count) {
    if (!has_room_for(count)) GTEST_SKIP() << "not so many descriptors here";
    fifo_crowd all{count};
    EXPECT_EQ(laio_outstanding(), static_cast<int>(count));
    all.open_for_writing();
    all.expect_complete();
    EXPECT_EQ(laio_outstanding(), 0);
}

// Each waits for a byte of a file that another process has locked, until that one ends.
class record_lock_crowd {
public:
    explicit record_lock_crowd(std::size_t count) : locks_(count) {
        const std::string path = files_.path("a");
        holder_ = make_waiting_child([&] {
            const int own = open(path.c_str(), O_RDWR | O_CLOEXEC);
            struct flock all {};
            all.l_type = F_WRLCK;
            if (own < 0 || fcntl(own, F_SETLK, &all) != 0) _exit(99);
        });
        off_t place = 0;
        for (struct flock &lock : locks_) {
            lock.l_type = F_WRLCK;
            lock.l_start = place += 2;
            lock.l_len = 1;
            calls_.push_back(begin(SYS_fcntl, file_.get(), F_SETLKW, &lock));
            EXPECT_FALSE(calls_.back()->is_direct());
        }
    }
    void end_the_other() {
        holder_.leash.reset();
        EXPECT_EQ(waitpid(holder_.pid, nullptr, 0), holder_.pid);
    }
    void expect_complete() {
        for (call_record *call : calls_) EXPECT_EQ(finish(call), (outcome{0, 0}));
    }

private:
    directory files_;
    descriptor file_ = files_.file("a", "");
    waiting_child holder_{};
    std::vector<struct flock> locks_;
    std::vector<call_record *> calls_;
};

void crowd::expect_record_locks(std::size_t count) {
    record_lock_crowd all{count};
    EXPECT_EQ(laio_outstanding(), static_cast<int>(count));
    all.end_the_other();
    all.expect_complete();
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(crowd, sixty_four_wait_for_a_lock) { expect_locks_in_turn(64); }
TEST_P(crowd, a_thousand_wait_for_a_lock) { expect_locks_in_turn(1000); }
TEST_P(crowd, sixty_four_open_a_fifo) { expect_fifo_opens(64); }
TEST_P(crowd, a_thousand_open_a_fifo) { expect_fifo_opens(1000); }
TEST_P(crowd, sixty_four_wait_for_another_process) { expect_record_locks(64); }
TEST_P(crowd, a_thousand_wait_for_another_process) { expect_record_locks(1000); }

// 64 that take every carrier, the one that lets them go, and many more behind it.
TEST_P(crowd, a_thousand_of_which_one_releases_64) {
    fifo_crowd waiting{64};
    waiting.open_for_writing();
    record_lock_crowd others{935};
    waiting.expect_complete();
    EXPECT_EQ(laio_outstanding(), 935);
    others.end_the_other();
    others.expect_complete();
    EXPECT_EQ(laio_outstanding(), 0);
}

LAIO_CONTRACT_SUITE(crowd);

} // namespace
} // namespace laio::test
