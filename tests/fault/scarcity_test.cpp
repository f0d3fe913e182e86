// Nothing to be had: no memory, no descriptors, no threads, when the loop is made and when a call is. The documented error or
// another way, no crash, and nothing that was outstanding is lost (laio_syscall(3) and laio_init(3), "Errors").
//
// Each runs in a forked child, because a seccomp filter stays for ever. The children use plain arrays: the tests' own books
// need memory too.
#include "harness.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

class scarcity : public contract_test {
protected:
    // No loop in the parent: a child would first close its copies of that one's descriptors, and have them to spare.
    void SetUp() override {
        contract_test::SetUp();
        EXPECT_EQ(laio_fini(), 0);
    }
};

constexpr std::array thread_calls{static_cast<int>(SYS_clone), static_cast<int>(SYS_clone3)};

#define NEEDS_PLAIN_MEMORY()                                                                                           \
    if (sanitized) GTEST_SKIP() << "a sanitizer needs memory of its own and ends the process without it"

// From now on the kernel has no more address space for us. Lost: brk(2) refused by seccomp, whose answer glibc takes for a
// new end of the heap.
void take_no_more_memory() {
    long pages = 0;
    std::FILE *file = std::fopen("/proc/self/statm", "re");
    ASSERT_EQ(std::fscanf(file, "%ld", &pages), 1);
    std::fclose(file);
    const auto size = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE));
    const rlimit limit{size, size};
    ASSERT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    ASSERT_EQ(mmap(nullptr, 1U << 20U, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), MAP_FAILED);
}

// What malloc(3) has left; the child keeps it. Volatile, or the compiler leaves the calls out.
void use_up_memory() {
    for (const std::size_t size : {std::size_t{65536}, std::size_t{1024}, std::size_t{16}}) {
        void *volatile taken = nullptr;
        do { taken = std::malloc(size); } while (taken != nullptr);
    }
}

// Calls without books: how many of `count` reads of one byte went to the background, and that others got ENOMEM.
int begin_reads(int fd, char *bytes, int count) {
    int begun = 0;
    for (int turn = 0; turn < count; ++turn) {
        errno = 0;
        const long value = laio_syscall(SYS_read, static_cast<long>(fd), bytes + begun, 1L);
        if (value == -1 && errno == EINPROGRESS) {
            ++begun;
        } else {
            const int error = errno;
            EXPECT_EQ(value, -1);
            EXPECT_TRUE(error == ENOMEM || error == EAGAIN) << strerror(error); // EAGAIN: no carrier's stack to be had
            return begun;
        }
    }
    return begun;
}

// Completes them all by as many bytes, and counts.
void expect_complete(int writer, const char *bytes, int count) {
    static std::array<char, 4096> block;
    block.fill('x');
    int complete = 0;
    int written = 0;
    std::array<laio_completion, 64> completions{};
    while (complete < count) {
        const int portion = std::min(count - written, static_cast<int>(block.size()));
        if (portion > 0) {
            ASSERT_EQ(write(writer, block.data(), static_cast<std::size_t>(portion)), portion);
            written += portion;
        }
        while (complete < written) {
            const int got = laio_poll(completions.data(), static_cast<int>(completions.size()), nullptr);
            ASSERT_GE(got, 0) << strerror(errno);
            for (int index = 0; index < got; ++index)
                ASSERT_EQ(completions[static_cast<std::size_t>(index)].laio_return_value, 1);
            complete += got;
        }
    }
    for (int index = 0; index < count; ++index) ASSERT_EQ(bytes[index], 'x');
    EXPECT_EQ(laio_outstanding(), 0);
}

constexpr int reads_max = 500000;

TEST_P(scarcity, no_memory_for_a_call) {
    NEEDS_PLAIN_MEMORY();
    const pipe_ends ends = make_pipe();
    // Taken from the kernel before it says no.
    auto *bytes = static_cast<char *>(
        mmap(nullptr, reads_max, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
    expect_in_child([&] {
        start_loop();
        EXPECT_EQ(done(SYS_getpid).value, getpid());
        take_no_more_memory();
        const int begun = begin_reads(ends.reader.get(), bytes, reads_max);
        EXPECT_LT(begun, reads_max) << "memory was to be had after all";
        EXPECT_EQ(laio_outstanding(), begun);
        EXPECT_EQ(laio_syscall(SYS_getpid), getpid()); // what needs none still works
        expect_complete(ends.writer.get(), bytes, begun);
        // And what it has it can use again.
        const int again = begin_reads(ends.reader.get(), bytes, begun);
        EXPECT_EQ(again, begun);
        expect_complete(ends.writer.get(), bytes, again);
    });
    munmap(bytes, reads_max);
}

TEST_P(scarcity, no_memory_for_a_loop) {
    NEEDS_PLAIN_MEMORY();
    const pipe_ends ends = make_pipe();
    expect_in_child([&] {
        take_no_more_memory();
        use_up_memory();
        laio_options options = options_of_set();
        EXPECT_EQ(laio_init(&options), -1);
        EXPECT_EQ(errno, ENOMEM);
        char byte = 0;
        EXPECT_EQ(laio_syscall(SYS_read, static_cast<long>(ends.reader.get()), &byte, 1L), -1);
        EXPECT_EQ(errno, ENOMEM);
        EXPECT_EQ(laio_outstanding(), 0);
        EXPECT_EQ(laio_syscall(SYS_getpid), getpid());
        EXPECT_EQ(laio_fini(), 0);
    });
}

rlim_t lower_limit_to_open_ones() {
    rlimit limit{};
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    // The lowest free number is the limit, so that there is none: close what is above it beforehand.
    const int lowest = dup(0);
    close(lowest);
    limit.rlim_cur = static_cast<rlim_t>(lowest);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(dup(0), -1);
    return before;
}

void raise_limit(rlim_t to) {
    rlimit limit{};
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = to;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST_P(scarcity, no_descriptors_for_a_loop) {
    const pipe_ends ends = make_pipe();
    expect_in_child([&] {
        const rlim_t before = lower_limit_to_open_ones();
        laio_options options = options_of_set();
        EXPECT_EQ(laio_init(&options), -1);
        EXPECT_EQ(errno, EMFILE);
        EXPECT_EQ(laio_fd(), -1);
        EXPECT_EQ(errno, EMFILE);
        char byte = 0;
        EXPECT_EQ(laio_syscall(SYS_read, static_cast<long>(ends.reader.get()), &byte, 1L), -1);
        EXPECT_EQ(errno, EMFILE);
        EXPECT_EQ(laio_syscall(SYS_getpid), getpid());
        raise_limit(before);
        start_loop(); // nothing is left of the attempts
        call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
        write_all(ends.writer.get(), "x");
        EXPECT_EQ(finish(call), (outcome{1, 0}));
        EXPECT_EQ(laio_fini(), 0);
    });
}

// One descriptor more each time: whatever is missing, the loop is made or refused whole.
TEST_P(scarcity, few_descriptors_for_a_loop) {
    const pipe_ends ends = make_pipe();
    for (rlim_t spare = 1; spare < 12; ++spare) {
        expect_in_child([&] {
            const std::size_t open_before = open_descriptors();
            const rlim_t before = lower_limit_to_open_ones();
            rlimit limit{};
            getrlimit(RLIMIT_NOFILE, &limit);
            raise_limit(limit.rlim_cur + spare);
            laio_options options = options_of_set();
            if (laio_init(&options) == 0) {
                char byte = 0;
                call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
                write_all(ends.writer.get(), "x");
                EXPECT_EQ(finish(call), (outcome{1, 0}));
            } else {
                EXPECT_EQ(errno, EMFILE);
            }
            EXPECT_EQ(laio_fini(), 0);
            raise_limit(before);
            EXPECT_EQ(open_descriptors(), open_before) << "with " << spare << " to spare";
        });
    }
}

// Calls that the library would use a descriptor for itself: it finds another way.
TEST_P(scarcity, no_descriptors_for_calls) {
    start_loop();
    waiting_child child = make_waiting_child();
    const pipe_ends ends = make_pipe();
    const directory files;
    const descriptor holder = files.file("a", "");
    const descriptor waiter{open(files.path("a").c_str(), O_RDWR | O_CLOEXEC)};
    ASSERT_EQ(flock(holder.get(), LOCK_EX), 0);
    const rlim_t before = lower_limit_to_open_ones();
    int status = 0;
    pollfd item{ends.reader.get(), POLLIN, 0};
    timespec realtime{};
    clock_gettime(CLOCK_REALTIME, &realtime);
    realtime.tv_nsec = (realtime.tv_nsec + 20000000) % 1000000000;
    realtime.tv_sec += realtime.tv_nsec < 20000000 ? 1 : 0;
    const std::array calls{begin(SYS_wait4, child.pid, &status, 0, nullptr), begin(SYS_poll, &item, 1, -1),
                           begin(SYS_flock, waiter.get(), LOCK_EX),
                           begin(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &realtime, nullptr)};
    EXPECT_EQ(done(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0), (outcome{-1, EMFILE}));
    EXPECT_EQ(done(SYS_pipe2, &status, 0), (outcome{-1, EMFILE}));
    child.leash.reset();
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(flock(holder.get(), LOCK_UN), 0);
    EXPECT_EQ(finish(calls[0]), (outcome{child.pid, 0}));
    EXPECT_EQ(finish(calls[1]), (outcome{1, 0}));
    EXPECT_EQ(finish(calls[2]), (outcome{0, 0}));
    EXPECT_EQ(finish(calls[3]), (outcome{0, 0}));
    raise_limit(before);
}

// laio_syscall(3), EAGAIN: the call needs a carrier, there is none, and no thread can be made.
TEST_P(scarcity, no_threads) {
    const directory files;
    const descriptor holder = files.file("a", "");
    const descriptor waiter{open(files.path("a").c_str(), O_RDWR | O_CLOEXEC)};
    const pipe_ends ends = make_pipe();
    expect_in_child([&] {
        ASSERT_EQ(flock(holder.get(), LOCK_EX), 0);
        start_loop();
        EXPECT_EQ(laio_syscall(SYS_getpid), getpid());
        ASSERT_TRUE(refuse_calls(thread_calls, EAGAIN)) << strerror(errno);
        for (int turn = 0; turn < 3; ++turn) {
            const outcome result = done(SYS_flock, waiter.get(), LOCK_EX);
            EXPECT_TRUE(result == (outcome{-1, EAGAIN}) || result == (outcome{-1, ENOMEM})) << result;
            EXPECT_EQ(laio_outstanding(), 0);
        }
        if (set().has_readiness() && set().has_attempts()) { // what needs no thread still works
            char byte = 0;
            call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
            write_all(ends.writer.get(), "x");
            EXPECT_EQ(finish(call), (outcome{1, 0}));
        }
        EXPECT_EQ(laio_fini(), 0);
    });
}

LAIO_CONTRACT_SUITE(scarcity);

} // namespace
} // namespace laio::test
