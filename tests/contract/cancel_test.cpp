// Cancelling: laio_cancel(3). The completion says ECANCELED, or the result if that won; it still has to be fetched; what
// had moved already is not lost; a handle is one of this thread and not yet handed over, or the answer is EINVAL.
#include "harness.hpp"

#include <atomic>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

class cancel : public contract_test {};

constexpr outcome cancelled{-1, ECANCELED};

int cancel_error(laio_handle_t handle) {
    errno = 0;
    return laio_cancel(handle) == 0 ? 0 : errno;
}

// Cancels a call that nothing can complete.
void expect_cancelled(call_record *call) {
    ASSERT_FALSE(call->is_direct()) << call->result;
    EXPECT_EQ(laio_cancel(call->handle), 0);
    EXPECT_EQ(laio_outstanding(), 1);
    EXPECT_EQ(finish(call), cancelled);
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(cancel, waiting_read_leaves_the_byte_in_the_pipe) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    expect_cancelled(begin(SYS_read, ends.reader.get(), &byte, 1));
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(done(SYS_read, ends.reader.get(), &byte, 1), (outcome{1, 0}));
    EXPECT_EQ(byte, 'x');
    EXPECT_EQ(stats_now().cancelled, 1U);
}

TEST_P(cancel, calls_that_wait_for_many_things) {
    const descriptor_pair unix_pair = make_unix_pair();
    const descriptor_pair terminal = make_pty();
    const pipe_ends ends = make_pipe();
    const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    std::array<char, 16> bytes{};
    const timespec hour{3600, 0};
    pollfd item{ends.reader.get(), POLLIN, 0};
    epoll_event event{};
    alignas(4) static unsigned word = 1;
    expect_cancelled(begin(SYS_recvfrom, unix_pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr));
    expect_cancelled(begin(SYS_read, terminal.near.get(), bytes.data(), bytes.size()));
    expect_cancelled(begin(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    expect_cancelled(begin(SYS_nanosleep, &hour, nullptr));
    expect_cancelled(begin(SYS_poll, &item, 1, -1));
    expect_cancelled(begin(SYS_epoll_wait, epoll.get(), &event, 1, -1));
    expect_cancelled(begin(SYS_futex, &word, 0 /* FUTEX_WAIT */, 1, nullptr, nullptr, 0));
    fill(ends.writer.get());
    expect_cancelled(begin(SYS_write, ends.writer.get(), "x", 1));
}

// wait4(2): a child that was not waited for to the end can be waited for again.
TEST_P(cancel, wait_for_a_living_child) {
    waiting_child child = make_waiting_child();
    int status = 0;
    expect_cancelled(begin(SYS_wait4, child.pid, &status, 0, nullptr));
    child.leash.reset();
    EXPECT_EQ(done(SYS_wait4, child.pid, &status, 0, nullptr), (outcome{child.pid, 0}));
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

// flock(2), fcntl(2): a lock that another holds; after the cancel it is not ours.
TEST_P(cancel, locks_that_another_process_holds) {
    const directory files;
    const descriptor file = files.file("a", "");
    const std::string path = files.path("a");
    waiting_child child = make_waiting_child([&] {
        const int own = open(path.c_str(), O_RDWR | O_CLOEXEC);
        struct flock lock {};
        lock.l_type = F_WRLCK;
        if (own < 0 || flock(own, LOCK_EX) != 0 || fcntl(own, F_SETLK, &lock) != 0) _exit(99);
    });
    expect_cancelled(begin(SYS_flock, file.get(), LOCK_EX));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    expect_cancelled(begin(SYS_fcntl, file.get(), F_SETLKW, &lock));
    expect_cancelled(begin(SYS_fcntl, file.get(), F_OFD_SETLKW, &lock));
    child.leash.reset();
    EXPECT_EQ(waitpid(child.pid, nullptr, 0), child.pid);
    const descriptor other{open(path.c_str(), O_RDWR | O_CLOEXEC)};
    EXPECT_EQ(flock(other.get(), LOCK_EX | LOCK_NB), 0);
    EXPECT_EQ(fcntl(other.get(), F_OFD_SETLK, &lock), 0);
}

// A carrier takes one call, the others queue behind it: each state is cancelled, and the rest goes on.
TEST_P(cancel, running_and_queued_calls) {
    laio_options options = options_of_set();
    options.carriers_max = 1;
    options.carriers_hard_max = 1;
    restart_loop(options);
    const directory files;
    const descriptor holder = files.file("a", "");
    ASSERT_EQ(flock(holder.get(), LOCK_EX), 0);
    std::vector<descriptor> others;
    std::vector<call_record *> calls;
    for (int turn = 0; turn < 4; ++turn) {
        others.emplace_back(open(files.path("a").c_str(), O_RDWR | O_CLOEXEC));
        calls.push_back(begin(SYS_flock, others.back().get(), LOCK_EX));
        ASSERT_FALSE(calls.back()->is_direct());
    }
    EXPECT_EQ(laio_cancel(calls[2]->handle), 0); // queued
    EXPECT_EQ(finish(calls[2]), cancelled);
    EXPECT_EQ(laio_cancel(calls[0]->handle), 0); // running
    EXPECT_EQ(finish(calls[0]), cancelled);
    ASSERT_EQ(flock(holder.get(), LOCK_UN), 0);
    EXPECT_EQ(finish(calls[1]), (outcome{0, 0}));
    EXPECT_FALSE(calls[3]->complete);
    EXPECT_EQ(done(SYS_flock, others[1].get(), LOCK_UN), (outcome{0, 0}));
    EXPECT_EQ(finish(calls[3]), (outcome{0, 0}));
}

TEST_P(cancel, one_of_several_leaves_the_others_in_order) {
    const pipe_ends ends = make_pipe();
    std::array<char, 5> bytes{};
    const auto calls = begin_reads(ends.reader.get(), bytes);
    EXPECT_EQ(laio_cancel(calls[0]->handle), 0);
    EXPECT_EQ(laio_cancel(calls[3]->handle), 0);
    EXPECT_EQ(finish(calls[0]), cancelled);
    EXPECT_EQ(finish(calls[3]), cancelled);
    write_all(ends.writer.get(), "abc");
    finish_all();
    EXPECT_EQ(bytes[1], 'a');
    EXPECT_EQ(bytes[2], 'b');
    EXPECT_EQ(bytes[4], 'c');
}

TEST_P(cancel, twice_is_once) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    EXPECT_EQ(laio_cancel(call->handle), 0);
    EXPECT_EQ(laio_cancel(call->handle), 0);
    EXPECT_EQ(finish(call), cancelled);
    EXPECT_EQ(collect(0), 0);
}

TEST_P(cancel, of_a_complete_call_keeps_its_result) {
    const pipe_ends ends = make_pipe();
    std::array<char, 2> bytes{};
    const auto calls = begin_reads(ends.reader.get(), bytes);
    write_all(ends.writer.get(), "ab");
    EXPECT_EQ(collect(-1, 1), 1);
    EXPECT_EQ(calls[0]->result, (outcome{1, 0}));
    // The second one's byte is there: it may have taken it, and then keeps it, or leave it there.
    EXPECT_EQ(laio_cancel(calls[1]->handle), 0);
    if (finish(calls[1]) == cancelled) bytes[1] = read_all(ends.reader.get(), 1).at(0);
    EXPECT_EQ(bytes[1], 'b');
    EXPECT_FALSE(is_readable(ends.reader.get()));
}

TEST_P(cancel, handles_that_are_none) {
    EXPECT_EQ(cancel_error(nullptr), EINVAL);
    const pipe_ends ends = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(finish(call), (outcome{1, 0}));
    EXPECT_EQ(cancel_error(call->handle), EINVAL); // handed over
    EXPECT_EQ(laio_setdata(call->handle, &byte), -1);
    EXPECT_EQ(errno, EINVAL);
    std::mt19937_64 random{seed()};
    call = begin(SYS_read, ends.reader.get(), &byte, 1);
    for (int turn = 0; turn < 10000; ++turn) {
        // All bits, small numbers, and neighbours of a handle that is one.
        std::uint64_t value = random();
        if (turn % 3 == 1) value %= 100000;
        else if (turn % 3 == 2) value = reinterpret_cast<std::uint64_t>(call->handle) ^ (1ULL << (value % 64));
        auto *handle = reinterpret_cast<laio_handle_t>(value); // NOLINT(performance-no-int-to-ptr)
        ASSERT_EQ(cancel_error(handle), EINVAL) << handle;
        ASSERT_EQ(laio_setdata(handle, nullptr), -1) << handle;
    }
    write_all(ends.writer.get(), "y");
    EXPECT_EQ(finish(call), (outcome{1, 0}));
}

TEST_P(cancel, handles_of_another_thread) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    std::thread other{[&] {
        EXPECT_EQ(cancel_error(call->handle), EINVAL); // without a loop
        EXPECT_EQ(laio_fini(), 0);
        start_loop();
        EXPECT_EQ(cancel_error(call->handle), EINVAL);
        EXPECT_EQ(laio_setdata(call->handle, &byte), -1);
        char own_byte = 0;
        call_record *own = begin(SYS_read, ends.reader.get(), &own_byte, 1);
        EXPECT_NE(own->handle, call->handle);
        EXPECT_EQ(laio_cancel(own->handle), 0);
        EXPECT_EQ(finish(own), cancelled);
        EXPECT_EQ(laio_fini(), 0);
        forget_calls();
    }};
    other.join();
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(finish(call), (outcome{1, 0}));
}

// laio_cancel(3): "bytes that had moved already are such a result".
TEST_P(cancel, half_a_write_says_how_much) {
    const pipe_ends ends = make_pipe();
    const std::string sent = pattern(1000000);
    call_record *call = begin(SYS_write, ends.writer.get(), sent.data(), sent.size());
    ASSERT_FALSE(call->is_direct());
    const std::string first = read_all(ends.reader.get(), 30000);
    collect(0);
    EXPECT_EQ(laio_cancel(call->handle), 0);
    const outcome result = finish(call);
    ASSERT_GE(result.value, 30000) << result;
    ASSERT_LT(result.value, static_cast<long>(sent.size()));
    const auto moved = static_cast<std::size_t>(result.value);
    EXPECT_TRUE(first + read_all(ends.reader.get(), moved - first.size()) == sent.substr(0, moved));
    EXPECT_FALSE(is_readable(ends.reader.get())) << "more went out than the call says";
}

TEST_P(cancel, half_a_read_loses_nothing) {
    const descriptor_pair pair = make_unix_pair();
    std::string bytes(100, '\0');
    call_record *call = begin(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL, nullptr, nullptr);
    write_all(pair.far.get(), "0123456789");
    collect(0);
    EXPECT_EQ(laio_cancel(call->handle), 0);
    const outcome result = finish(call);
    write_all(pair.far.get(), "!");
    std::string seen = result == cancelled ? "" : bytes.substr(0, static_cast<std::size_t>(result.value));
    seen += read_all(pair.near.get(), 11 - seen.size());
    EXPECT_EQ(seen, "0123456789!");
}

// ---- Races: the cancel and what it cancels at the same moment ---------------------------------------------------------

constexpr int races = sanitized ? 100 : 400;

// Lets `act` run in a thread at a random moment around a cancel of the call.
outcome race(call_record *call, std::mt19937_64 &random, const std::function<void()> &act) {
    std::atomic<bool> go{false};
    const std::uint64_t delay = random() % 3000;
    const std::uint64_t own_delay = random() % 3000;
    const auto spin = [](std::uint64_t turns) {
        for (std::uint64_t turn = 0; turn < turns; ++turn) std::atomic_signal_fence(std::memory_order_seq_cst);
    };
    std::thread other{[&] {
        while (!go.load()) std::this_thread::yield();
        spin(delay);
        act();
    }};
    go.store(true);
    spin(own_delay * 8);
    if (random() % 2 == 0) collect(0);
    if (!call->complete) { EXPECT_EQ(laio_cancel(call->handle), 0); }
    const outcome result = finish(call);
    other.join();
    EXPECT_EQ(collect(0), 0);
    return result;
}

TEST_P(cancel, races_with_a_byte) {
    std::mt19937_64 random{seed()};
    for (const bool socket : {false, true}) {
        pipe_ends ends = make_pipe();
        descriptor_pair pair = make_unix_pair();
        const int reader = socket ? pair.near.get() : ends.reader.get();
        const int writer = socket ? pair.far.get() : ends.writer.get();
        int won = 0;
        for (int turn = 0; turn < races; ++turn) {
            const char sent = static_cast<char>('a' + turn % 26);
            char byte = 0;
            call_record *call = begin(SYS_read, reader, &byte, 1);
            ASSERT_FALSE(call->is_direct());
            const outcome result = race(call, random, [&] { write_all(writer, {&sent, 1}); });
            if (result == cancelled) {
                ASSERT_EQ(read_all(reader, 1)[0], sent) << "the byte was lost, turn " << turn;
            } else {
                ASSERT_EQ(result, (outcome{1, 0}));
                ASSERT_EQ(byte, sent);
                ASSERT_FALSE(is_readable(reader)) << "the byte was delivered twice";
                ++won;
            }
        }
        RecordProperty(socket ? "socket_bytes_won" : "pipe_bytes_won", won);
    }
}

TEST_P(cancel, races_with_a_lock) {
    std::mt19937_64 random{seed() + 1};
    const directory files;
    const descriptor holder = files.file("a", "");
    const descriptor waiter{open(files.path("a").c_str(), O_RDWR | O_CLOEXEC)};
    for (int turn = 0; turn < races; ++turn) {
        ASSERT_EQ(flock(holder.get(), LOCK_EX), 0);
        call_record *call = begin(SYS_flock, waiter.get(), LOCK_EX);
        ASSERT_FALSE(call->is_direct());
        const outcome result = race(call, random, [&] { flock(holder.get(), LOCK_UN); });
        const bool is_held = flock(holder.get(), LOCK_EX | LOCK_NB) != 0;
        ASSERT_EQ(result, is_held ? (outcome{0, 0}) : cancelled) << "turn " << turn;
        ASSERT_EQ(flock(waiter.get(), LOCK_UN), 0);
    }
}

TEST_P(cancel, races_with_a_connection) {
    std::mt19937_64 random{seed() + 2};
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    for (int turn = 0; turn < races / 4; ++turn) {
        call_record *call = begin(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
        ASSERT_FALSE(call->is_direct());
        descriptor client;
        const outcome result = race(call, random, [&] { client = connect_tcp(port); });
        descriptor served{static_cast<int>(result.value)};
        if (result == cancelled)
            served = descriptor{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)}; // or it waits for ever
        write_all(client.get(), "x");
        ASSERT_EQ(read_all(served.get(), 1), "x");
        ASSERT_FALSE(is_readable(listener.get()));
    }
}

TEST_P(cancel, races_with_a_large_write) {
    std::mt19937_64 random{seed() + 3};
    const std::string sent = pattern(200000);
    for (int turn = 0; turn < races / 8; ++turn) {
        pipe_ends ends = make_pipe();
        call_record *call = begin(SYS_write, ends.writer.get(), sent.data(), sent.size());
        ASSERT_FALSE(call->is_direct());
        std::string seen;
        const std::size_t portion = random() % sent.size() + 1;
        set_nonblocking(ends.reader.get()); // a write that was cancelled early leaves less than that
        const outcome result = race(call, random, [&] { seen = read_all(ends.reader.get(), portion); });
        ends.writer.reset();
        seen += read_all(ends.reader.get(), sent.size() + 1);
        ASSERT_EQ(result, seen.empty() ? cancelled : (outcome{static_cast<long>(seen.size()), 0}));
        ASSERT_TRUE(seen == sent.substr(0, seen.size()));
    }
}

LAIO_CONTRACT_SUITE(cancel);

} // namespace
} // namespace laio::test
