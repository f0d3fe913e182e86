// What /proc says of a thread, read in every shape it can have; and adopted, in a child, where there is something to give up.
#include "engines/credentials.hpp"

#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

using laio::adopt;
using laio::changes_credentials;
using laio::credentials;
using laio::differs_from;
using laio::groups_known;
using laio::parse_status;
using laio::read_own_status;
using laio::thread_status;

const std::string text =
    "Name:\tUid:\t7\n"
    "Umask:\t0022\nState:\tS (sleeping)\nTgid:\t10\nNgid:\t0\nPid:\t12\n"
    "Uid:\t1\t2\t3\t4\nGid:\t4294967294\t6\t7\t8\nFDSize:\t256\nGroups:\t4 20 4000000000 \nNStgid:\t10\n"
    "SigQ:\t2/96365\nSigPnd:\t0000000100000000\nShdPnd:\t0000000000000001\nSigBlk:\tfffffffe7ffbfeff\n"
    "SigIgn:\t0000000000001000\nSigCgt:\t0000000100000002\nCapInh:\t0000000000000001\n"
    "CapPrm:\t000001fffeffffff\nCapEff:\t0000000000000003\nCapBnd:\t000001ffffffffff\n"
    "CapAmb:\t0000000000000004\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n";

thread_status parsed(const std::string &of) {
    // exactly as long as it is, so that a sanitizer sees who reads on
    const std::vector<char> exact(of.begin(), of.end());
    thread_status status{};
    EXPECT_TRUE(parse_status(exact.data(), exact.size(), status)) << of;
    return status;
}

constexpr laio::test::child_end fine{true, 0, 0};

TEST(credentials, are_read) {
    const thread_status status = parsed(text);
    EXPECT_EQ(status.state, 'S');
    EXPECT_EQ(status.pending, 0x100000000U);
    EXPECT_EQ(status.blocked, 0xfffffffe7ffbfeffU);
    EXPECT_EQ(status.caught, 0x100000002U);
    const credentials &may = status.may;
    for (unsigned i = 0; i < 4; ++i) EXPECT_EQ(may.uid[i], i + 1);
    EXPECT_EQ(may.gid[0], 4294967294U);
    EXPECT_EQ(may.gid[3], 8U);
    ASSERT_EQ(may.group_count, 3U);
    EXPECT_EQ(may.group[0], 4U);
    EXPECT_EQ(may.group[2], 4000000000U);
    EXPECT_EQ(may.inheritable, 1U);
    EXPECT_EQ(may.permitted, 0x1fffeffffffU);
    EXPECT_EQ(may.effective, 3U);
    EXPECT_EQ(may.bounding, 0x1ffffffffffU);
    EXPECT_EQ(may.ambient, 4U);
    EXPECT_EQ(may.no_new_privileges, 1U);
    EXPECT_EQ(may.filters, 3U);
}

TEST(credentials, have_no_groups_sometimes) {
    std::string none = text;
    none.replace(none.find("4 20 4000000000 "), 16, " ");
    EXPECT_EQ(parsed(none).may.group_count, 0U);
}

TEST(credentials, of_older_kernels_have_fewer_lines) {
    const std::string old = text.substr(0, text.find("CapAmb"));
    const thread_status status = parsed(old);
    EXPECT_EQ(status.may.bounding, 0x1ffffffffffU);
    EXPECT_EQ(status.may.ambient, 0U);
    EXPECT_EQ(status.may.filters, 0U);
    EXPECT_EQ(parsed(text.substr(0, text.find("Seccomp_filters"))).may.filters, 2U);
}

TEST(credentials, more_groups_than_are_known_are_told_as_such) {
    std::string many;
    for (unsigned i = 0; i < groups_known + 7; ++i) many += std::to_string(i) + ' ';
    std::string long_text = text;
    long_text.replace(long_text.find("4 20 4000000000 "), 16, many);
    EXPECT_EQ(parsed(long_text).may.group_count, groups_known + 1);
}

TEST(credentials, a_text_that_ends_early_is_refused) {
    const std::size_t enough = text.find("CapBnd:\t") + 9;
    for (std::size_t length = 0; length < enough; ++length) {
        const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length));
        thread_status status{};
        EXPECT_FALSE(parse_status(exact.data(), exact.size(), status) && length < text.find("CapBnd")) << length;
    }
}

TEST(credentials, of_this_thread) {
    thread_status own{};
    ASSERT_TRUE(read_own_status(own));
    EXPECT_EQ(own.state, 'R');
    EXPECT_EQ(own.may.uid[0], getuid());
    EXPECT_EQ(own.may.gid[1], getegid());
    EXPECT_EQ(static_cast<int>(own.may.group_count), getgroups(0, nullptr));
    EXPECT_FALSE(differs_from(own.may));
    EXPECT_TRUE(adopt(own.may)); // nothing to do
    own.may.uid[1] ^= 1;
    EXPECT_TRUE(differs_from(own.may));
}

int with_no_new_privileges() {
    thread_status own{};
    if (!read_own_status(own)) return 1;
    own.may.no_new_privileges = 1;
    if (!adopt(own.may)) return 2;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 3;
    own.may.no_new_privileges = 0; // does not come back
    return adopt(own.may) ? 4 : 0;
}

TEST(credentials, no_new_privileges_are_adopted) { EXPECT_EQ(laio::test::in_child(with_no_new_privileges), fine); }

int with_a_filter() {
    thread_status own{};
    if (!read_own_status(own)) return 1;
    ++own.may.filters;
    return adopt(own.may) ? 2 : 0;
}

TEST(credentials, a_filter_cannot_be_adopted) { EXPECT_EQ(laio::test::in_child(with_a_filter), fine); }

bool is_root() {
    return geteuid() == 0 &&
           laio::test::in_child([] { return setgroups(0, nullptr) == 0 && setuid(7) == 0 ? 0 : 1; }) == fine;
}

int become_a_user() {
    thread_status own{};
    if (!read_own_status(own)) return 1;
    credentials user = own.may;
    for (unsigned i = 0; i < 4; ++i) user.uid[i] = user.gid[i] = 4711;
    user.group_count = 2;
    user.group[0] = 1;
    user.group[1] = 2;
    user.effective = user.permitted = user.inheritable = user.ambient = 0;
    if (!adopt(user)) return 2;
    if (getuid() != 4711 || getgroups(0, nullptr) != 2) return 3;
    return adopt(own.may) ? 4 : 0; // no way back
}

int go_and_come_back() {
    thread_status own{};
    if (!read_own_status(own)) return 1;
    credentials user = own.may;
    user.uid[1] = user.uid[3] = 4711;
    user.effective = 0;
    if (!adopt(user) || geteuid() != 4711) return 2;
    return adopt(own.may) && geteuid() == 0 ? 0 : 3;
}

int drop_one_capability() {
    thread_status own{};
    if (!read_own_status(own)) return 1;
    credentials less = own.may;
    const std::uint64_t gone = ~(std::uint64_t{1} << CAP_NET_ADMIN);
    less.effective &= gone;
    less.permitted &= gone;
    less.bounding &= gone;
    less.inheritable &= gone;
    if (!adopt(less)) return 2;
    return adopt(own.may) ? 3 : 0;
}

int with_many_groups() {
    std::vector<gid_t> groups(1000);
    for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<gid_t>(4'000'000'000 + i);
    if (setgroups(groups.size(), groups.data()) != 0) return 1;
    thread_status own{};
    if (!read_own_status(own)) return 2;
    if (own.may.group_count != groups_known + 1 || own.may.permitted == 0) return 3;
    return differs_from(own.may) ? 4 : 0;
}

TEST(credentials, are_adopted) {
    if (!is_root()) GTEST_SKIP() << "needs root";
    EXPECT_EQ(laio::test::in_child(become_a_user), fine);
    EXPECT_EQ(laio::test::in_child(go_and_come_back), fine);
    EXPECT_EQ(laio::test::in_child(drop_one_capability), fine);
    EXPECT_EQ(laio::test::in_child(with_many_groups), fine);
}

TEST(credentials, calls_that_change_them) {
    const std::array<long, 6> none{};
    EXPECT_TRUE(changes_credentials(SYS_setresuid, none.data()));
    EXPECT_TRUE(changes_credentials(SYS_capset, none.data()));
    EXPECT_FALSE(changes_credentials(SYS_capget, none.data()));
    const std::array<long, 6> name{PR_SET_NAME};
    EXPECT_FALSE(changes_credentials(SYS_prctl, name.data()));
    const std::array<long, 6> drop{PR_CAPBSET_DROP};
    EXPECT_TRUE(changes_credentials(SYS_prctl, drop.data()));
    const std::array<long, 6> filter{1, 0};
    EXPECT_TRUE(changes_credentials(SYS_seccomp, filter.data()));
    const std::array<long, 6> filter_of_all{1, 1};
    EXPECT_FALSE(changes_credentials(SYS_seccomp, filter_of_all.data())) << "the kernel sees to it";
}

} // namespace
