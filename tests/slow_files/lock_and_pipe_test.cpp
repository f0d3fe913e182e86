// The loop goes on being served beside calls that wait for something that is no slow file: a lock of another process, room in
// a full pipe, the other end of a FIFO. The rule is that of ticker.hpp; then what they wait for comes, and they complete.
#include "harness.hpp"
#include "ticker.hpp"

#include <fcntl.h>
#include <functional>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

class blocker {
public:
    virtual ~blocker() = default;
    virtual call_record *begin_call() = 0;
    virtual void release() = 0;
    virtual void check(outcome result) = 0;
};

constexpr struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

// Another process has the file's lock until it ends.
class lock_of_another : public blocker {
public:
    explicit lock_of_another(int command) : command_{command}, file_{files_.file("a", "content")} {
        const std::string path = files_.path("a");
        holder_ = make_waiting_child([&] {
            const int own = open(path.c_str(), O_RDWR | O_CLOEXEC);
            struct flock lock = whole_file();
            if (own < 0 || (command == 0 ? flock(own, LOCK_EX) : fcntl(own, F_SETLK, &lock)) != 0) _exit(99);
        });
    }
    ~lock_of_another() override { release(); }
    call_record *begin_call() override {
        if (command_ == 0) return begin(SYS_flock, file_.get(), LOCK_EX);
        return begin(SYS_fcntl, file_.get(), command_, &lock_);
    }
    void release() override {
        if (holder_.leash.get() < 0) return;
        holder_.leash.reset();
        EXPECT_EQ(waitpid(holder_.pid, nullptr, 0), holder_.pid);
    }
    void check(outcome result) override {
        EXPECT_EQ(result, (outcome{0, 0}));
        const std::string path = files_.path("a");
        expect_in_child([&] { // it is ours now
            const int own = open(path.c_str(), O_RDWR | O_CLOEXEC);
            struct flock lock = whole_file();
            EXPECT_EQ(command_ == 0 ? flock(own, LOCK_EX | LOCK_NB) : fcntl(own, F_SETLK, &lock), -1);
        });
    }

private:
    int command_; // 0: flock(2)
    directory files_;
    descriptor file_;
    struct flock lock_ = whole_file();
    waiting_child holder_{};
};

// The pipe takes nothing until it is read from.
class full_pipe : public blocker {
public:
    using call_in = std::function<call_record *(full_pipe &)>;
    explicit full_pipe(call_in call) : call_{std::move(call)} {
        write_all(source.writer.get(), text);
        file = files_.file("a", text);
        EXPECT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
        fill(target.writer.get());
        held_ = static_cast<std::size_t>(fcntl(target.writer.get(), F_GETPIPE_SZ));
    }
    call_record *begin_call() override { return call_(*this); }
    void release() override { read_all(target.reader.get(), held_); }
    void check(outcome result) override {
        EXPECT_EQ(result, (outcome{static_cast<long>(text.size()), 0}));
        EXPECT_EQ(read_all(target.reader.get(), text.size()), text);
    }

    std::string text = "the quick brown fox";
    pipe_ends source = make_pipe();
    pipe_ends target = make_pipe();
    descriptor file;
    iovec piece{text.data(), text.size()};

private:
    call_in call_;
    directory files_;
    std::size_t held_ = 0;
};

// A FIFO is opened when somebody opens its other end.
class lonely_fifo : public blocker {
public:
    lonely_fifo() { EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0); }
    call_record *begin_call() override { return begin(SYS_openat, AT_FDCWD, path_.c_str(), O_RDONLY | O_CLOEXEC); }
    void release() override { other_ = descriptor{open(path_.c_str(), O_RDWR | O_CLOEXEC)}; }
    void check(outcome result) override {
        ASSERT_GE(result.value, 0) << result;
        const descriptor opened{static_cast<int>(result.value)};
        write_all(other_.get(), "x");
        EXPECT_EQ(read_all(opened.get(), 1), "x");
    }

private:
    directory files_;
    std::string path_ = files_.path("fifo");
    descriptor other_;
};

class ticker_beside_waiting : public contract_test {
protected:
    static gaps measure(blocker &what) {
        ticker clock;
        gaps found{};
        found.alone_ns = clock.largest_gap_ns(slow_ms);
        call_record *call = nullptr;
        const std::int64_t end_ns = now_ns() + slow_ns;
        found.beside_ns = clock.largest_gap_ns([&] {
            if (call == nullptr) call = what.begin_call();
            return now_ns() >= end_ns;
        });
        found.blocked = call->is_direct() ? 0 : 1;
        EXPECT_FALSE(call->complete && !call->is_direct()) << call->result;
        what.release();
        what.check(finish(call));
        return found;
    }

    static void expect_ticks(const char *name, const std::function<std::unique_ptr<blocker>()> &make) {
        print_head();
        if (!expect_good(name, best_of([&] { return measure(*make()); }), 1) && !HasFailure())
            GTEST_SKIP() << "this machine is too busy to tell";
    }
    static void expect_ticks_beside_pipe(const char *name, const full_pipe::call_in &call) {
        expect_ticks(name, [&] { return std::make_unique<full_pipe>(call); });
    }
    static void expect_ticks_beside_lock(const char *name, int command) {
        expect_ticks(name, [&] { return std::make_unique<lock_of_another>(command); });
    }
};

TEST_P(ticker_beside_waiting, flock_of_another_process) { expect_ticks_beside_lock("flock", 0); }
TEST_P(ticker_beside_waiting, record_lock_of_another_process) { expect_ticks_beside_lock("F_SETLKW", F_SETLKW); }
TEST_P(ticker_beside_waiting, file_lock_of_another_process) { expect_ticks_beside_lock("F_OFD_SETLKW", F_OFD_SETLKW); }

TEST_P(ticker_beside_waiting, write_to_a_full_pipe) {
    expect_ticks_beside_pipe("write", [](full_pipe &one) {
        return begin(SYS_write, one.target.writer.get(), one.text.data(), one.text.size());
    });
}

TEST_P(ticker_beside_waiting, vmsplice_to_a_full_pipe) {
    expect_ticks_beside_pipe(
        "vmsplice", [](full_pipe &one) { return begin(SYS_vmsplice, one.target.writer.get(), &one.piece, 1, 0); });
}

TEST_P(ticker_beside_waiting, splice_from_a_pipe_to_a_full_one) {
    expect_ticks_beside_pipe("splice, pipe", [](full_pipe &one) {
        return begin(SYS_splice, one.source.reader.get(), nullptr, one.target.writer.get(), nullptr, one.text.size(),
                     0);
    });
}

TEST_P(ticker_beside_waiting, splice_from_a_file_to_a_full_pipe) {
    expect_ticks_beside_pipe("splice, file", [](full_pipe &one) {
        return begin(SYS_splice, one.file.get(), nullptr, one.target.writer.get(), nullptr, one.text.size(), 0);
    });
}

TEST_P(ticker_beside_waiting, tee_to_a_full_pipe) {
    expect_ticks_beside_pipe("tee", [](full_pipe &one) {
        return begin(SYS_tee, one.source.reader.get(), one.target.writer.get(), one.text.size(), 0);
    });
}

TEST_P(ticker_beside_waiting, sendfile_to_a_full_pipe) {
    expect_ticks_beside_pipe("sendfile", [](full_pipe &one) {
        return begin(SYS_sendfile, one.target.writer.get(), one.file.get(), nullptr, one.text.size());
    });
}

TEST_P(ticker_beside_waiting, fifo_without_another_end) {
    expect_ticks("open, FIFO", [] { return std::make_unique<lonely_fifo>(); });
}

LAIO_CONTRACT_SUITE(ticker_beside_waiting);

} // namespace
} // namespace laio::test
