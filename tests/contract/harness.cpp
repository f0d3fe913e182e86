// See harness.hpp.
#include "harness.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

struct books {
    std::vector<std::unique_ptr<call_record>> records;
    unsigned completed = 0;
};

thread_local books own_books;

timespec from_ms(int timeout_ms) { return {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L}; }

void file_completion(const laio_completion &completion) {
    auto *record = static_cast<call_record *>(completion.laio_data);
    if (record == nullptr) {
        ADD_FAILURE() << "a completion without its laio_data, handle " << completion.laio_handle;
        return;
    }
    EXPECT_FALSE(record->complete) << "call " << record->number << " completed twice";
    EXPECT_EQ(record->handle, completion.laio_handle) << "call " << record->number;
    EXPECT_EQ(completion.laio_return_value == -1, completion.laio_errno != 0)
        << "call " << record->number << ": value " << completion.laio_return_value << " with errno "
        << completion.laio_errno;
    record->complete = true;
    record->order = ++own_books.completed;
    record->result = {completion.laio_return_value, completion.laio_errno};
}

} // namespace

std::ostream &operator<<(std::ostream &stream, const outcome &shown) {
    stream << shown.value;
    if (shown.error != 0) stream << " (" << strerrorname_np(shown.error) << ")";
    return stream;
}

call_record *begin_call(long number, const arguments &values) {
    auto &record = *own_books.records.emplace_back(std::make_unique<call_record>());
    begin_in(record, number, values);
    return &record;
}

void begin_in(call_record &record, long number, const arguments &values) {
    const native_call made{number, values};
    const arguments &a = made.a;
    record = {};
    record.number = made.number;
    errno = 0;
    const long value = laio_syscall(made.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    const int error = errno;
    if (value == -1 && error == EINPROGRESS) record.handle = laio_gethandle();
    else EXPECT_EQ(laio_gethandle(), nullptr) << "a handle for call " << number << ", which did not block";
    if (record.handle != nullptr) {
        EXPECT_EQ(laio_setdata(record.handle, &record), 0);
    } else {
        record.complete = true;
        record.order = ++own_books.completed;
        record.result = {value, value == -1 ? error : 0};
    }
}

outcome plain_call(long number, const arguments &values) {
    const native_call made{number, values};
    const arguments &a = made.a;
    errno = 0;
    const long value = syscall(made.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    return {value, value == -1 ? errno : 0};
}

// A poll that a signal ended goes on for what is left of its time: in the storm, signals come sooner than most time-outs.
int collect(int timeout_ms, int length) {
    using clock = std::chrono::steady_clock;
    std::array<laio_completion, 64> completions;
    const auto until = clock::now() + std::chrono::milliseconds{timeout_ms};
    timespec timeout = from_ms(timeout_ms);
    int count = 0;
    for (;;) {
        count = laio_poll(completions.data(), std::min(length, static_cast<int>(completions.size())),
                          timeout_ms < 0 ? nullptr : &timeout);
        if (count >= 0 || errno != EINTR) break;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now());
        timeout = from_ms(std::max(0, static_cast<int>(left.count())));
    }
    EXPECT_LE(count, length);
    for (int index = 0; index < count; ++index) file_completion(completions[static_cast<std::size_t>(index)]);
    return count;
}

// A call that never ends is cancelled in the end, so that the tests after this one run.
outcome finish(call_record *call) {
    constexpr int hang_ms = 1000 * static_cast<int>(deadline_s) / 4;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds{hang_ms};
    bool is_given_up = false;
    while (!call->complete) {
        if (collect(is_given_up ? -1 : hang_ms) < 0) {
            ADD_FAILURE() << "laio_poll: " << strerror(errno) << " while call " << call->number << " is not complete";
            return {-1, EIO};
        }
        if (!call->complete && !is_given_up && std::chrono::steady_clock::now() > limit) {
            ADD_FAILURE() << "call " << call->number << " did not end within " << hang_ms << " ms; cancelled";
            EXPECT_EQ(laio_cancel(call->handle), 0);
            is_given_up = true;
        }
    }
    return call->result;
}

void finish_all() {
    for (const auto &record : own_books.records) finish(record.get());
    EXPECT_EQ(laio_outstanding(), 0);
}

void wait_until_made(const call_record *call) {
    if (chosen_engine_set().has_readiness() || call->is_direct()) return;
    // "0 0x3 ..." in /proc/self/task/TID/syscall: the number of the call that a thread is in.
    const std::string wanted = std::to_string(call->number) + " ";
    wait_until([&] {
        for (const auto &task : std::filesystem::directory_iterator{"/proc/self/task"}) {
            std::ifstream file{task.path() / "syscall"};
            std::string line;
            if (task.path().filename() != std::to_string(gettid()) && std::getline(file, line) &&
                line.starts_with(wanted))
                return true;
        }
        return false;
    });
}

namespace {

// As LAIO_CLOSES_TOLD promises; of what is trusted for it. It may be queued: the test may wait for the end of file next.
void close_through_the_library(int number) {
    struct laio_stats stats {};
    stats.size = sizeof stats;
    struct stat status {};
    const bool is_told = laio_stats(&stats) == 0 && stats.engines != 0 && fstat(number, &status) == 0 &&
                         (S_ISSOCK(status.st_mode) || S_ISFIFO(status.st_mode));
    if (is_told) EXPECT_EQ(finish(begin(SYS_close, number)), (outcome{0, 0}));
    else ::close(number);
}

} // namespace

void keep_promises_of_set() {
    if (chosen_engine_set().tells_closes()) descriptor::close_by(close_through_the_library);
}

void start_loop() {
    const laio_options options = options_of_set();
    ASSERT_EQ(laio_init(&options), 0) << strerror(errno);
}

void forget_calls() { own_books = {}; }

void contract_test::SetUp() {
    const auto *info = ::testing::UnitTest::GetInstance()->current_test_info();
    name_ = std::string{info->test_suite_name()} + "." + info->name();
    arm_deadline(name_.c_str(), deadline_s);
    descriptors_ = open_descriptors();
    threads_ = threads();
    start_loop();
    if (set().needs_ring && (stats_now().engines & LAIO_ENGINE_RING) == 0) {
        GTEST_SKIP() << "no io_uring here: " << strerror(stats_now().ring_errno);
    }
}

void contract_test::TearDown() {
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_outstanding(), 0);
    forget_calls();
    if (!HasFailure()) { // A test that was left half way still has descriptors of its own.
        // A joined thread stays in /proc for a moment.
        wait_until([this] { return threads() <= threads_; });
        EXPECT_EQ(open_descriptors(), descriptors_) << "descriptors were left open";
    }
    disarm_deadline();
}

void contract_test::restart_loop(const laio_options &options) {
    ASSERT_EQ(laio_fini(), 0);
    ASSERT_EQ(laio_init(&options), 0) << strerror(errno);
}

std::string engine_set_name(const ::testing::TestParamInfo<const engine_set *> &info) { return info.param->name; }

std::uint64_t seed() {
    static const std::uint64_t chosen = [] {
        const char *given = std::getenv("LAIO_TEST_SEED");
        const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device{}();
        std::printf("LAIO_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
        std::fflush(stdout);
        return value;
    }();
    return chosen;
}

} // namespace laio::test
