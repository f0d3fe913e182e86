#include "carried.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr int patience_ms = sanitized ? 120'000 : 20'000;

std::string word_of(const std::filesystem::path &file) {
    std::ifstream stream{file};
    std::string line;
    std::getline(stream, line);
    return line;
}

std::string signals_of(const std::filesystem::path &status) {
    std::ifstream stream{status};
    std::string all;
    for (std::string line; std::getline(stream, line);)
        if (line.starts_with("SigPnd") || line.starts_with("SigBlk")) all += ' ' + line;
    return all;
}

void list_threads(pid_t pid) {
    const std::string folder = "/proc/" + std::to_string(pid) + "/task";
    std::error_code error;
    for (const auto &thread : std::filesystem::directory_iterator{folder, error})
        std::fprintf(stderr, "    %s %s: %s%s\n", thread.path().filename().c_str(),
                     word_of(thread.path() / "comm").c_str(), word_of(thread.path() / "syscall").c_str(),
                     signals_of(thread.path() / "status").c_str());
}

[[noreturn]] void play(const std::function<void()> &body) {
    const int before = ::testing::UnitTest::GetInstance()->failed_test_count();
    const bool failed_before = ::testing::Test::HasFailure();
    try {
        body();
    } catch (const std::exception &error) { ADD_FAILURE() << error.what(); }
    std::fflush(nullptr);
    const bool failed = ::testing::Test::HasFailure() && !failed_before;
    _exit(failed || ::testing::UnitTest::GetInstance()->failed_test_count() > before ? 1 : 0);
}

std::string ask() {
    if (sanitized) return "activations are off under a sanitizer";
    std::array<int, 2> answer{};
    if (pipe(answer.data()) != 0) return "no pipe";
    const pid_t pid = fork();
    if (pid == 0) {
        laio_syscall(SYS_getppid);
        std::array<char, 256> name{};
        laio_syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", name.data(), name.size());
        write_all(answer[1], why_not_in_place());
        _exit(0);
    }
    close(answer[1]);
    std::string reason = read_all(answer[0], 256);
    close(answer[0]);
    waitpid(pid, nullptr, 0);
    return reason;
}

} // namespace

std::string why_no_activations() {
    static const std::string reason = ask();
    return reason;
}

int end_of_child(const std::function<void()> &body) {
    std::fflush(nullptr);
    std::array<int, 2> life{}; // its writer lives as long as the child
    if (pipe2(life.data(), O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
    const pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0); // so that its own children are ended with it
        close(life[0]);
        play(body);
    }
    close(life[1]);
    pollfd one{life[0], POLLIN, 0};
    int r = 0;
    do r = ::poll(&one, 1, patience_ms);
    while (r < 0 && errno == EINTR);
    if (r == 0) {
        std::fprintf(stderr, "*** the child %d does not end; its threads:\n", pid);
        list_threads(pid);
        kill(-pid, SIGKILL);
    }
    close(life[0]);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

void run_in_child(const std::function<void()> &body) {
    const int status = end_of_child(body);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << (WIFSIGNALED(status) ? std::string{"the child died of signal "} + strsignal(WTERMSIG(status))
                                : "the child failed, as told above");
}

application::application() : home_{gettid()} { laio_syscall(SYS_getppid); }

application::~application() { home(); }

bool application::try_block() {
    call &one = calls_.emplace_back();
    one.from = make_pipe();
    one.to = make_pipe();
    const long r = laio_syscall(SYS_splice, one.from.reader.get(), nullptr, one.to.writer.get(), nullptr, 1, 0);
    if (r == -1 && errno == EINTR) {
        calls_.pop_back();
        return false;
    }
    if (r != -1 || errno != EINPROGRESS)
        throw std::runtime_error{"the call did not block: " + std::to_string(r) + ' ' + strerror(errno)};
    laio_setdata(laio_gethandle(), &one);
    return true;
}

std::size_t application::block() {
    while (!try_block()) {}
    return calls_.size() - 1;
}

void application::poll(const timespec *timeout) {
    std::array<laio_completion, 16> done{};
    const int count = laio_poll(done.data(), static_cast<int>(done.size()), timeout);
    for (int i = 0; i < count; ++i) {
        auto &one = *static_cast<call *>(done.at(static_cast<std::size_t>(i)).laio_data);
        if (one.complete) ADD_FAILURE() << "a call completed twice";
        one.complete = true;
        one.result = {done.at(static_cast<std::size_t>(i)).laio_return_value,
                      done.at(static_cast<std::size_t>(i)).laio_errno};
    }
}

void application::let_go(std::size_t place) { write_all(calls_.at(place).from.writer.get(), "x"); }

void application::break_pipe(std::size_t place) {
    calls_.at(place).to.reader.reset();
    let_go(place);
}

ended_call application::wait(std::size_t place) {
    while (!calls_.at(place).complete) poll(nullptr);
    return calls_.at(place).result;
}

ended_call application::end(std::size_t place) {
    let_go(place);
    return wait(place);
}

void application::end_all() {
    for (std::size_t i = 0; i < calls_.size(); ++i)
        if (!calls_[i].complete) end(i);
    calls_.clear();
}

void application::park_home(std::size_t place) {
    let_go(place);
    const std::string of_home = "/proc/self/task/" + std::to_string(home_) + "/stat";
    char byte = 0; // the splice is over when its byte is there, home at rest when it sleeps again
    EXPECT_EQ(read(calls_.at(place).to.reader.get(), &byte, 1), 1);
    wait_until([&] {
        const std::string stat = word_of(of_home);
        return stat.find(") S ") != std::string::npos;
    });
}

bool application::is_away() const { return gettid() != home_; }

void application::away() {
    block();
    if (!is_away()) throw std::runtime_error{"the application is not carried"};
}

void application::home() {
    end_all();
    constexpr timespec at_once{};
    while (is_away()) poll(&at_once);
}

void in_each_place(application &of, const std::function<void(const char *)> &what) {
    of.home();
    what("at home");
    of.away();
    what("carried");
    of.home();
    what("home again");
}

} // namespace laio::test
