// Helper processes on a small loop, and what becomes of errands whose helper is killed.
#include "disk/helper_process_disk.hpp"

#include "disk/helper_process.hpp"
#include "disk_acts.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <sstream>

namespace httpd::test {
namespace {

// State and parent, of /proc/PID/stat.
std::pair<char, pid_t> look_at(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    if (text.empty()) return {'X', 0};
    std::istringstream words(text.substr(text.rfind(')') + 2));
    char state = 0;
    pid_t parent = 0;
    words >> state >> parent;
    return {state, parent};
}

char state_of(pid_t process) { return look_at(process).first; }

std::vector<pid_t> children() {
    std::vector<pid_t> found;
    for (const auto &entry : std::filesystem::directory_iterator("/proc")) {
        const pid_t process = std::atoi(entry.path().filename().c_str());
        if (process <= 0) continue;
        const auto [state, parent] = look_at(process);
        if (parent == ::getpid() && state != 'Z') found.push_back(process);
    }
    return found;
}

std::size_t descriptors_of(pid_t process) {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(process) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

void wait_for_state(pid_t process, char state) {
    while (state_of(process) != state) ::usleep(1000); // the kernel's, on another CPU
}

class helper_processes : public disk_acts {
protected:
    std::unique_ptr<disk> make_disk(unsigned concurrency) override {
        return std::make_unique<helper_process_disk>(loop, files.root, concurrency);
    }

    // Leaves one idle helper, which is stopped.
    pid_t stop_only_helper(disk &of) {
        asker first;
        EXPECT_FALSE(open(of, first, "f").failed());
        const auto all_helpers = children();
        EXPECT_EQ(all_helpers.size(), 1U);
        EXPECT_EQ(::kill(all_helpers.at(0), SIGSTOP), 0);
        wait_for_state(all_helpers.at(0), 'T');
        return all_helpers.at(0);
    }
};

TEST_F(helper_processes, answer_as_the_disk_does) { answers_as_the_disk_does(); }
TEST_F(helper_processes, many_at_once) { many_at_once(); }
TEST_F(helper_processes, cold_bytes) { cold_bytes(); }

TEST_F(helper_processes, leave_nothing_behind) {
    leaves_nothing_behind();
    EXPECT_TRUE(children().empty());
}

TEST_F(helper_processes, are_started_when_there_is_work_up_to_a_number) {
    const auto some = make_disk(4);
    EXPECT_TRUE(children().empty());
    asker who;
    for (int i = 0; i < 3; ++i) {
        who.takes(some->status(who, "f", who.status));
        wait_for(loop, who);
    }
    EXPECT_EQ(children().size(), 1U);
    std::vector<asker> askers(100);
    for (std::size_t i = 0; i < askers.size(); ++i)
        askers[i].takes(some->status(askers[i], ("f" + std::to_string(i)).c_str(), askers[i].status));
    EXPECT_EQ(children().size(), 4U);
    for (auto &one : askers) wait_for(loop, one);
    EXPECT_EQ(children().size(), 4U);
}

TEST_F(helper_processes, keep_the_socket_and_the_root_alone) {
    const auto some = make_disk(1);
    asker who, reader;
    ASSERT_FALSE(open(*some, who, "f").failed());
    drop(who.file.descriptor);
    reader.takes(some->bring_in(reader, who.file.descriptor, 0, all));
    wait_for(loop, reader);
    who.takes(some->status(who, "f", who.status)); // what it had before is closed by then
    wait_for(loop, who);
    EXPECT_EQ(descriptors_of(children().at(0)), 2U);
}

// Woken for nothing, the loop must not take it for dead.
TEST_F(helper_processes, one_that_has_not_answered_is_not_gone) {
    helper_process process(files.root);
    errand_result result;
    EXPECT_EQ(process.answer(result), EAGAIN);
    ASSERT_EQ(process.ask({{errand_kind::status}, "f"}), 0);
    pollfd answered{.fd = process.socket(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&answered, 1, -1), 1);
    EXPECT_EQ(process.answer(result), 0);
    EXPECT_EQ(result.error, 0);
    ::kill(process.pid(), SIGKILL);
    ASSERT_EQ(::waitpid(process.pid(), nullptr, 0), process.pid());
    EXPECT_EQ(process.answer(result), EPIPE);
}

TEST_F(helper_processes, one_killed_while_idle_is_replaced) {
    const auto some = make_disk(1);
    asker first, second;
    ASSERT_FALSE(open(*some, first, "f").failed());
    const auto old = children().at(0);
    ::kill(old, SIGKILL);
    wait_for_state(old, 'Z');
    ASSERT_FALSE(open(*some, second, "f").failed());
    ASSERT_EQ(children().size(), 1U);
    EXPECT_NE(children().at(0), old);
}

TEST_F(helper_processes, an_errand_in_the_hands_of_one_killed_goes_to_another) {
    const auto some = make_disk(1);
    const auto victim = stop_only_helper(*some);
    asker who;
    who.takes(some->open(who, "f", who.file));
    ::kill(victim, SIGKILL);
    wait_for(loop, who);
    ASSERT_FALSE(who.told->failed()) << std::strerror(who.told->error);
    EXPECT_EQ(content_of(who.file.descriptor), bytes_of(all));
    EXPECT_EQ(children().size(), 1U);
}

// Whoever opens a file from now on is killed by the kernel: helpers, for the loop does not.
void forbid_opening() {
    const std::array program{
        sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_openat2},
        sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS},
        sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    const sock_fprog all{program.size(), const_cast<sock_filter *>(program.data())};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all) != 0)
        ::_exit(77);
}

TEST_F(helper_processes, an_errand_of_which_two_die_fails_and_those_behind_it_do_not) {
    const pid_t server = ::fork();
    if (server == 0) {
        forbid_opening();
        const auto some = make_disk(1);
        asker fatal, behind;
        fatal.takes(some->open(fatal, "f", fatal.file));
        behind.takes(some->status(behind, "f", behind.status));
        wait_for(loop, fatal);
        wait_for(loop, behind);
        ::_exit(fatal.told->error == EIO && !behind.told->failed() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(server, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "no seccomp filters here";
    EXPECT_EQ(status, 0);
}

TEST_F(helper_processes, without_room_for_a_descriptor) {
    const auto some = make_disk(1);
    asker who;
    ASSERT_FALSE(open(*some, who, "f").failed());
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{3, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    asker other;
    EXPECT_EQ(open(*some, other, "f").error, EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_FALSE(open(*some, other, "f").failed());
    EXPECT_EQ(children().size(), 1U);
}

TEST_F(helper_processes, that_cannot_be_started) {
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{3, before.rlim_max};
    const auto some = make_disk(1);
    setrlimit(RLIMIT_NOFILE, &none);
    asker who;
    EXPECT_EQ(open(*some, who, "f").error, EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_FALSE(open(*some, who, "f").failed());
}

TEST_F(helper_processes, end_with_the_server) {
    int said[2];
    ASSERT_EQ(::pipe(said), 0);
    const pid_t server = ::fork();
    if (server == 0) { // which dies without a word
        libevent_multiplexer its_loop;
        helper_process_disk its_disk(its_loop, files.root, 1);
        asker who;
        who.takes(its_disk.status(who, "f", who.status));
        wait_for(its_loop, who);
        const pid_t helper = children().at(0);
        if (::write(said[1], &helper, sizeof helper) < 0) ::_exit(1);
        ::kill(::getpid(), SIGKILL);
    }
    ::close(said[1]);
    pid_t helper = 0;
    ASSERT_EQ(::read(said[0], &helper, sizeof helper), static_cast<ssize_t>(sizeof helper));
    ::waitpid(server, nullptr, 0);
    ::close(said[0]);
    while (state_of(helper) != 'X' && state_of(helper) != 'Z') ::usleep(1000);
}

} // namespace
} // namespace httpd::test
