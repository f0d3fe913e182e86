// See journey.hpp. Plain calls here go past the library, but for those that are to block.
#include "journey.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <stdexcept>
#include <string_view>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace laio::test {
namespace {

constexpr timespec at_once{};

// One that blocks long enough to be noticed is no matter: its result is thrown away.
void make_any_call_in_place() {
    if (laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK) == 0 || laio_gethandle() == nullptr) return;
    while (laio_outstanding() > 0) next_completion();
}

// As a thread does that waits to be asked for something; or it has waited long enough, and ended.
bool sleeps_in_futex(pid_t thread) {
    const std::string path = "/proc/self/task/" + std::to_string(thread) + "/syscall";
    const descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    std::array<char, 256> text{};
    const ssize_t length = file.get() < 0 ? -1 : read(file.get(), text.data(), text.size());
    if (length < 0) return true;
    const std::string_view seen{text.data(), static_cast<std::size_t>(length)};
    return seen.starts_with(std::to_string(SYS_futex) + " ");
}

} // namespace

laio_completion next_completion() {
    laio_completion completion{};
    while (laio_poll(&completion, 1, nullptr) != 1)
        if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "laio_poll"};
    return completion;
}

pid_t kernel_thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }

std::string why_no_activations() {
    make_any_call_in_place();
    return why_not_in_place();
}

// What still blocks is left to the loop's end, and its descriptors are open until the process ends.
journey::~journey() {
    for (blocked_call &call : calls_) {
        call.lock.release();
        for (descriptor &one : call.others) one.release();
    }
}

// A file without a name. The lease is on a description for reading; who truncates the file has to wait until it is given
// up, and its owner is told by a signal that is ignored unless somebody handles it.
journey::blocked_call &journey::begin_truncate() {
    const auto path_of = [](const descriptor &file) { return "/proc/self/fd/" + std::to_string(file.get()); };
    const descriptor writable{memfd_create("leased", MFD_CLOEXEC)};
    descriptor leased{open(path_of(writable).c_str(), O_RDONLY | O_CLOEXEC)};
    if (fcntl(leased.get(), F_SETSIG, SIGURG) != 0 || fcntl(leased.get(), F_SETLEASE, F_RDLCK) != 0)
        throw std::system_error{errno, std::generic_category(), "a lease on a file in memory"};
    blocked_call &call = calls_.emplace_back(blocked_call{blocking::truncate, std::move(leased)});
    call.path = path_of(call.lock);
    const long result = laio_syscall(SYS_truncate, call.path.c_str(), 0);
    if (result != -1 || errno != EINPROGRESS)
        throw std::system_error{errno, std::generic_category(), "truncate did not block"};
    return call;
}

journey::blocked_call &journey::begin_splice() {
    pipe_ends from = make_pipe(O_CLOEXEC);
    pipe_ends to = make_pipe(O_CLOEXEC);
    const int source = from.reader.get();
    const int target = to.writer.get();
    blocked_call &call = calls_.emplace_back(blocked_call{blocking::splice, std::move(from.writer)});
    for (descriptor *one : {&from.reader, &to.reader, &to.writer}) call.others.push_back(std::move(*one));
    const long result = laio_syscall(SYS_splice, source, nullptr, target, nullptr, 1, 0);
    if (result != -1 || errno != EINPROGRESS)
        throw std::system_error{errno, std::generic_category(), "splice did not block"};
    return call;
}

void journey::leave() {
    const pid_t before = kernel_thread();
    const blocking kind = std::exchange(next_, next_ == blocking::splice ? blocking::truncate : blocking::splice);
    blocked_call &call = kind == blocking::splice ? begin_splice() : begin_truncate();
    call.handle = laio_gethandle();
    if (kernel_thread() == before) throw std::runtime_error{"the call was not made in place"};
}

std::size_t journey::descriptors() const {
    std::size_t count = 0;
    for (const blocked_call &call : calls_) count += 1 + call.others.size();
    return count;
}

void journey::unblock() {
    for (blocked_call &call : calls_) {
        if (!std::exchange(call.is_blocked, false)) continue;
        if (call.kind == blocking::splice) write_all(call.lock.get(), "x");
        else fcntl(call.lock.get(), F_SETLEASE, F_UNLCK);
    }
    if (is_away()) wait_until([this] { return sleeps_in_futex(home_); });
}

void journey::arrive() {
    unblock();
    while (!calls_.empty()) {
        const laio_completion completion = next_completion();
        const auto is_it = [&](const blocked_call &call) { return call.handle == completion.laio_handle; };
        const auto found = std::find_if(calls_.begin(), calls_.end(), is_it);
        if (found == calls_.end()) throw std::runtime_error{"a completion of another call"};
        const long result = found->kind == blocking::splice ? 1 : 0;
        calls_.erase(found);
        if (completion.laio_return_value != result)
            throw std::runtime_error{"the call that blocked gave something else"};
    }
}

void journey::go_home() {
    arrive();
    laio_completion completion{};
    while (is_away())
        if (laio_poll(&completion, 1, &at_once) > 0) throw std::runtime_error{"a completion of no call"};
}

void identity_test::SetUp() {
    const auto *test = ::testing::UnitTest::GetInstance()->current_test_info();
    arm_deadline(test->name(), deadline_s);
    if (const std::string reason = why_no_activations(); !reason.empty()) GTEST_SKIP() << reason;
}

void identity_test::TearDown() {
    EXPECT_EQ(laio_fini(), 0);
    disarm_deadline();
}

} // namespace laio::test
