// What a process drops after start, no thread of it keeps: setuid(2) and its kin by libc, which tells every thread, and
// what the library passes on to its own threads. Each of these reads what the kernel says of every thread.
#include "carried.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <map>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <tuple>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr unsigned some_id = 54321;

bool may_change_ids() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (geteuid() != 0 || syscall(SYS_capget, &header, sets.data()) != 0) return false;
    constexpr unsigned wanted = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_SETPCAP;
    if ((sets[0].effective & wanted) != wanted) return false;
    return end_of_child([] {
               if (setgid(some_id) != 0 || setuid(some_id) != 0) _exit(1);
           }) == 0;
}

class signals_credentials : public signals {
protected:
    void SetUp() override {
        signals::SetUp();
        static const bool may = may_change_ids();
        if (!IsSkipped() && !may) GTEST_SKIP() << "needs root, with the right to change its ids";
    }
};

// What each line of the threads' status says, and how many threads say so.
using census = std::map<std::string, int>;

census census_of(const std::string &what) {
    census found;
    for (const auto &thread : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::ifstream status{thread.path() / "status"};
        for (std::string line; std::getline(status, line);)
            if (line.starts_with(what + ":")) ++found[line];
    }
    return found;
}

// Of every thread.
void expect_all(const std::string &what, const std::string &value, const char *where) {
    for (const auto &[line, count] : census_of(what))
        EXPECT_EQ(line.substr(what.size() + 2), value) << what << " in " << count << " threads, " << where;
}

std::string four_times(unsigned id) {
    const std::string one = std::to_string(id);
    return one + "\t" + one + "\t" + one + "\t" + one;
}

void expect_all_dropped(const char *where) {
    expect_all("Uid", four_times(some_id), where);
    expect_all("Gid", four_times(some_id), where);
    expect_all("CapEff", "0000000000000000", where);
    expect_all("CapPrm", "0000000000000000", where);
    for (const auto &[line, count] : census_of("Groups"))
        EXPECT_EQ(line.find_first_of("0123456789"), std::string::npos)
            << line << " in " << count << " threads, " << where;
}

void drop_all() {
    const gid_t group = some_id + 1;
    EXPECT_EQ(setgroups(1, &group), 0);
    EXPECT_EQ(setgroups(0, nullptr), 0);
    EXPECT_EQ(setgid(some_id), 0);
    EXPECT_EQ(setuid(some_id), 0);
}

enum class who : std::uint8_t { application, another_thread };
enum class where : std::uint8_t { home_rested, home_with_calls_blocked, carried, carried_home_at_rest };

const char *name_of(where place) {
    switch (place) {
    case where::home_rested: return "at home";
    case where::home_with_calls_blocked: return "at home, calls blocked";
    case where::carried: return "carried, home blocked";
    case where::carried_home_at_rest: return "carried, home parked";
    }
    return "";
}

// The application is at home again, and calls are blocked on carriers; carriers rest, too.
void go_home_with_calls_blocked(application &self) {
    const std::size_t first = self.block(); // blocks home
    self.block(4);                          // and carriers
    self.end(first);
    for (int i = 0; i < 100 && self.is_away(); ++i) {
        constexpr timespec at_once{};
        laio_completion none{};
        EXPECT_EQ(laio_poll(&none, 1, &at_once), 0);
    }
    EXPECT_FALSE(self.is_away());
}

void take_place(application &self, where place) {
    switch (place) {
    case where::home_rested:
        self.away();
        self.home();
        EXPECT_FALSE(self.is_away());
        return;
    case where::home_with_calls_blocked: return go_home_with_calls_blocked(self);
    case where::carried:
        self.block(5);
        EXPECT_TRUE(self.is_away());
        return;
    case where::carried_home_at_rest: {
        const std::size_t first = self.block();
        self.block(3);
        self.park_home(first); // the application would come home at its next poll
        EXPECT_TRUE(self.is_away());
        return;
    }
    }
}

// Once in either place, each in a child of its own, with threads from before.
void at_home_and_carried(const std::function<void(application &self, const char *place)> &body) {
    for (const bool carried : {false, true})
        run_in_child([&] {
            application self;
            self.block(3);
            if (!carried) self.home();
            body(self, carried ? "carried" : "at home");
        });
}

void expect_from_here_on(application &self, bool (*is_so)()) {
    EXPECT_TRUE(is_so()) << "here";
    self.away();
    EXPECT_TRUE(is_so()) << "carried elsewhere";
    self.home();
    EXPECT_TRUE(is_so()) << "at home in the end";
}

class dropping : public signals_credentials, public ::testing::WithParamInterface<std::tuple<where, who>> {};

TEST_P(dropping, setuid_reaches_every_thread) {
    const where place = std::get<0>(GetParam()); // not by a structured binding: clang 14 lets no lambda use one
    const who by = std::get<1>(GetParam());
    run_in_child([&] {
        application self;
        take_place(self, place);
        if (by == who::application) drop_all();
        else std::thread{drop_all}.join();
        expect_all_dropped(name_of(place));
        EXPECT_EQ(geteuid(), some_id);
        self.away(); // another one carries it
        EXPECT_EQ(geteuid(), some_id);
        EXPECT_EQ(setuid(0), -1);
        self.home();
        EXPECT_EQ(geteuid(), some_id);
        EXPECT_EQ(setuid(0), -1);
        expect_all_dropped("afterwards");
    });
}

std::string place_name(const ::testing::TestParamInfo<std::tuple<where, who>> &info) {
    const auto [place, by] = info.param;
    static constexpr std::array<const char *, 4> places{"at_home", "at_home_with_calls_blocked", "carried_home_blocked",
                                                        "carried_home_parked"};
    return std::string{places.at(static_cast<std::size_t>(place))} +
           (by == who::application ? "_by_the_application" : "_by_another_thread");
}

INSTANTIATE_TEST_SUITE_P(everywhere, dropping,
                         ::testing::Combine(::testing::Values(where::home_rested, where::home_with_calls_blocked,
                                                              where::carried, where::carried_home_at_rest),
                                            ::testing::Values(who::application, who::another_thread)),
                         place_name);

// A server that takes its user's ids for a while, and takes root's again.
TEST_F(signals_credentials, ids_that_come_back_come_back_everywhere) {
    run_in_child([] {
        application self;
        for (const bool carried : {false, true, false}) {
            carried ? self.away() : self.home();
            EXPECT_EQ(setegid(some_id), 0);
            EXPECT_EQ(seteuid(some_id), 0);
            expect_all("Uid", "0\t54321\t0\t54321", "with the user's ids");
            expect_all("Gid", "0\t54321\t0\t54321", "with the user's ids");
            expect_all("CapEff", "0000000000000000", "with the user's ids");
            carried ? self.home() : self.away();
            EXPECT_EQ(geteuid(), some_id);
            EXPECT_EQ(seteuid(0), 0);
            EXPECT_EQ(setegid(0), 0);
            expect_all("Uid", four_times(0), "root again");
            expect_all("Gid", four_times(0), "root again");
            EXPECT_EQ(census_of("CapEff").size(), 1U);
        }
    });
}

TEST_F(signals_credentials, saved_ids_follow_too) {
    run_in_child([] {
        application self;
        self.away();
        EXPECT_EQ(setresgid(1, 2, 3), 0);
        EXPECT_EQ(setresuid(4, 5, 6), 0);
        expect_all("Gid", "1\t2\t3\t2", "carried");
        expect_all("Uid", "4\t5\t6\t5", "carried");
        EXPECT_EQ(setreuid(5, 6), 0); // what only the saved one allows
        expect_all("Uid", "5\t6\t6\t6", "carried");
    });
}

TEST_F(signals_credentials, a_refused_change_changes_nothing) {
    run_in_child([] {
        application self;
        drop_all();
        self.block(3);
        EXPECT_EQ(setuid(0), -1);
        EXPECT_EQ(errno, EPERM);
        EXPECT_EQ(setgroups(0, nullptr), -1);
        expect_all_dropped("after a refusal");
    });
}

// Threads that come later are made by the application wherever it is.
TEST_F(signals_credentials, later_threads_have_no_more) {
    run_in_child([] {
        application self;
        self.away();
        drop_all();
        self.block(20);
        expect_all_dropped("with more carriers");
        std::thread{[] { EXPECT_EQ(geteuid(), some_id); }}.join();
    });
}

TEST_F(signals_credentials, calls_block_in_place_after_privileges_were_dropped) {
    run_in_child([] {
        application self;
        self.away();
        self.home();
        drop_all();
        for (int i = 0; i < 3; ++i) {
            self.away();
            self.block(3);
            self.home();
        }
        EXPECT_GE(stats_now().claims, 13U);
    });
}

// Two applications, each carried; and threads that drop while calls block.
TEST_F(signals_credentials, two_carried_applications) {
    run_in_child([] {
        application self;
        self.block(3);
        std::atomic<int> step{0};
        std::thread other{[&] {
            application second;
            second.block(3);
            step = 1;
            step.notify_all();
            step.wait(1);
            EXPECT_EQ(geteuid(), some_id);
            second.home();
            EXPECT_EQ(geteuid(), some_id);
        }};
        step.wait(0);
        drop_all();
        expect_all_dropped("two loops");
        step = 2;
        step.notify_all();
        other.join();
    });
}

// Over and over, while calls block and end and the application goes away and home.
TEST_F(signals_credentials, another_thread_changes_ids_all_the_time) {
    run_in_child([] {
        application self;
        std::atomic<bool> ends{false};
        std::thread other{[&] {
            while (!ends) {
                EXPECT_EQ(seteuid(some_id), 0);
                EXPECT_EQ(seteuid(0), 0);
            }
        }};
        for (int i = 0; i < 200; ++i) {
            self.block(1 + i % 3);
            self.home();
        }
        ends = true;
        other.join();
        expect_all("Uid", four_times(0), "afterwards");
    });
}

TEST_F(signals_credentials, the_carried_application_changes_ids_all_the_time) {
    run_in_child([] {
        application self;
        for (int i = 0; i < 100; ++i) {
            self.away();
            EXPECT_EQ(seteuid(some_id), 0);
            if (i % 3 == 0) self.away();
            EXPECT_EQ(geteuid(), some_id);
            if (i % 2 == 0) self.home();
            EXPECT_EQ(seteuid(0), 0);
            self.home();
        }
        expect_all("Uid", four_times(0), "afterwards");
    });
}

// ---- What libc tells nobody of ---------------------------------------------------------------------------------------

struct capabilities {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
};

void drop_net_admin(capabilities &all) {
    ASSERT_EQ(syscall(SYS_capget, &all.header, all.sets.data()), 0);
    for (unsigned *set : {&all.sets[0].effective, &all.sets[0].permitted, &all.sets[0].inheritable})
        *set &= ~(1U << CAP_NET_ADMIN);
}

bool has_net_admin() {
    capabilities own;
    syscall(SYS_capget, &own.header, own.sets.data());
    return (own.sets[0].permitted & 1U << CAP_NET_ADMIN) != 0;
}

TEST_F(signals_credentials, capabilities_dropped_through_the_library_are_dropped_by_all_its_threads) {
    for (const where place :
         {where::home_rested, where::home_with_calls_blocked, where::carried, where::carried_home_at_rest}) {
        run_in_child([&] {
            application self;
            take_place(self, place);
            capabilities without;
            drop_net_admin(without);
            EXPECT_EQ(laio_syscall(SYS_capset, &without.header, without.sets.data()), 0);
            EXPECT_EQ(census_of("CapEff").size(), 1U) << name_of(place);
            EXPECT_EQ(census_of("CapPrm").size(), 1U) << name_of(place);
            self.away();
            EXPECT_FALSE(has_net_admin());
            self.home();
            EXPECT_FALSE(has_net_admin());
        });
    }
}

// By syscall(2), as libcap does: only the kernel thread below the application hears of it. But wherever the application
// goes from there, it does not get back what it dropped.
TEST_F(signals_credentials, capabilities_dropped_behind_the_library_do_not_come_back) {
    run_in_child([] {
        application self;
        self.block(3); // carriers with all capabilities
        self.home();
        capabilities without;
        drop_net_admin(without);
        EXPECT_EQ(syscall(SYS_capset, &without.header, without.sets.data()), 0);
        EXPECT_FALSE(has_net_admin());
        for (int i = 0; i < 3; ++i) {
            self.away();
            EXPECT_FALSE(has_net_admin());
        }
        self.home();
        EXPECT_FALSE(has_net_admin());
    });
    run_in_child([] {
        application self;
        self.away();
        capabilities without;
        drop_net_admin(without);
        EXPECT_EQ(syscall(SYS_capset, &without.header, without.sets.data()), 0);
        self.away();
        EXPECT_FALSE(has_net_admin());
        self.home();
        EXPECT_FALSE(has_net_admin());
        self.away();
        EXPECT_FALSE(has_net_admin());
    });
}

TEST_F(signals_credentials, raw_setuid_is_not_undone_by_a_carrier) {
    for (const bool through_library : {true, false}) {
        at_home_and_carried([&](application &self, const char *) {
            EXPECT_EQ(through_library ? laio_syscall(SYS_setresuid, some_id, some_id, some_id)
                                      : syscall(SYS_setresuid, some_id, some_id, some_id),
                      0);
            for (int i = 0; i < 3; ++i) {
                EXPECT_EQ(geteuid(), some_id);
                EXPECT_EQ(syscall(SYS_setresuid, 0, 0, 0), -1);
                self.away();
            }
            self.home();
            EXPECT_EQ(geteuid(), some_id);
            EXPECT_EQ(syscall(SYS_setresuid, 0, 0, 0), -1);
        });
    }
}

// ---- What needs no root ----------------------------------------------------------------------------------------------

class signals_restrictions : public signals {};

bool may_gain_nothing() { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }

TEST_F(signals_restrictions, no_new_privileges_through_the_library) {
    at_home_and_carried([](application &, const char *place) {
        if (may_gain_nothing()) return; // everybody has it already
        EXPECT_EQ(laio_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        expect_all("NoNewPrivs", "1", place);
    });
}

TEST_F(signals_restrictions, no_new_privileges_behind_the_library) {
    at_home_and_carried([](application &self, const char *) {
        EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        expect_from_here_on(self, may_gain_nothing);
    });
}

// A filter that answers getpgrp(2) with EXDEV.
struct filter {
    std::array<sock_filter, 4> code{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                                     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
                                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
    sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
};

bool is_filtered() { return syscall(SYS_getpgid, 0) == -1 && errno == EXDEV; }

TEST_F(signals_restrictions, a_filter_for_all_threads) {
    at_home_and_carried([](application &self, const char *place) {
        filter one;
        EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        EXPECT_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &one.program), 0);
        expect_all("Seccomp", "2", place);
        expect_from_here_on(self, is_filtered);
    });
}

TEST_F(signals_restrictions, a_filter_through_the_library) {
    at_home_and_carried([](application &self, const char *) {
        filter one;
        EXPECT_EQ(laio_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        EXPECT_EQ(laio_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &one.program), 0);
        expect_from_here_on(self, is_filtered);
    });
}

// A thread cannot take over another's filter: then it does not carry the application, which waits in its call as in a
// plain one.
TEST_F(signals_restrictions, a_filter_behind_the_library_is_not_escaped_from) {
    run_in_child([] {
        application self;
        self.block(3); // carriers without the filter
        self.home();
        filter one;
        EXPECT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        EXPECT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &one.program), 0);
        EXPECT_TRUE(is_filtered());
        const pipe_ends from = make_pipe();
        const pipe_ends to = make_pipe();
        std::thread writer{[&] { // ends it in either case
            poll(nullptr, 0, 100);
            write_all(from.writer.get(), "x");
        }};
        laio_syscall(SYS_splice, from.reader.get(), nullptr, to.writer.get(), nullptr, 1, 0);
        EXPECT_TRUE(is_filtered());
        writer.join();
        while (laio_outstanding() > 0) {
            laio_completion done{};
            laio_poll(&done, 1, nullptr);
        }
        EXPECT_TRUE(is_filtered());
    });
}

} // namespace
} // namespace laio::test
