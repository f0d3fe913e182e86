// The names of LAIO_FORBID as laio_init(3) lists them, and what is asked of the kernel: under filters that refuse
// or kill for single calls, in children.
#include "kernel/features.hpp"

#include "kernel/residency.hpp"

#include "kernel/child.hpp"
#include "laio/laio.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <linux/openat2.h>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

using laio::ask_features;
using laio::features;
using laio::test::cannot;
using laio::test::in_child;

// ---- LAIO_FORBID ---------------------------------------------------------------------------------------------------

struct name_and_bit {
    const char *name;
    std::uint32_t bit;
};

constexpr name_and_bit documented[] = {
    {"ring", LAIO_FORBID_RING},
    {"readiness", LAIO_FORBID_READINESS},
    {"ring_new", LAIO_FORBID_RING_NEW},
    {"defer", LAIO_FORBID_DEFER},
    {"nowait", LAIO_FORBID_NOWAIT},
    {"cached", LAIO_FORBID_CACHED},
    {"pidfd", LAIO_FORBID_PIDFD},
    {"attempts", LAIO_FORBID_ATTEMPTS},
    {"activations", LAIO_FORBID_ACTIVATIONS},
    {"cachestat", LAIO_FORBID_CACHESTAT},
};

struct parsed {
    std::uint32_t bits;
    std::string unknown; // from the first one on, or "none"
};

parsed parse(const char *list) {
    const char *unknown = "?";
    const std::uint32_t bits = laio::parse_forbidden(list, &unknown);
    EXPECT_EQ(laio::parse_forbidden(list, nullptr), bits) << "without a place for the unknown";
    if (unknown == nullptr) return {bits, "none"};
    EXPECT_GE(unknown, list);
    EXPECT_LT(unknown, list + std::strlen(list));
    return {bits, unknown};
}

void expect(const char *list, std::uint32_t bits, const char *unknown = "none") {
    SCOPED_TRACE(list);
    const parsed got = parse(list);
    EXPECT_EQ(got.bits, bits);
    EXPECT_EQ(got.unknown, unknown);
}

TEST(forbidden_names, are_the_documented_ones) {
    std::uint32_t all = 0;
    for (const name_and_bit &one : documented) {
        expect(one.name, one.bit);
        all |= one.bit;
    }
    EXPECT_EQ(all, LAIO_FORBID_ALL);
}

TEST(forbidden_names, stand_at_the_place_of_their_bit) {
    unsigned index = 0;
    for (; laio::forbidden_name(index) != nullptr; ++index)
        EXPECT_EQ(parse(laio::forbidden_name(index)).bits, 1U << index) << laio::forbidden_name(index);
    EXPECT_EQ(index, std::size(documented));
    EXPECT_EQ(laio::forbidden_name(index + 1), nullptr);
    EXPECT_EQ(laio::forbidden_name(UINT_MAX), nullptr);
}

TEST(forbidden_list, has_commas_between) {
    expect("ring,cached", LAIO_FORBID_RING | LAIO_FORBID_CACHED);
    expect("cached,ring", LAIO_FORBID_RING | LAIO_FORBID_CACHED);
    expect("ring,readiness,ring_new,defer,nowait,cached,pidfd,attempts,activations,cachestat", LAIO_FORBID_ALL);
    expect("ring,ring,ring", LAIO_FORBID_RING);
    expect("ring_new", LAIO_FORBID_RING_NEW); // and not ring
}

TEST(forbidden_list, may_be_empty_or_not_there) {
    EXPECT_EQ(laio::parse_forbidden(nullptr, nullptr), 0U);
    const char *unknown = "?";
    EXPECT_EQ(laio::parse_forbidden(nullptr, &unknown), 0U);
    EXPECT_EQ(unknown, nullptr);
    expect("", 0);
}

TEST(forbidden_list, may_have_empty_places) {
    expect(",", 0);
    expect(",,,", 0);
    expect(",ring", LAIO_FORBID_RING);
    expect("ring,", LAIO_FORBID_RING);
    expect(",,ring,,pidfd,,", LAIO_FORBID_RING | LAIO_FORBID_PIDFD);
}

TEST(forbidden_list, ignores_names_that_are_not_known) {
    expect("rings", 0, "rings");
    expect("rin", 0, "rin");
    expect("x", 0, "x");
    expect("ring,nothing,cached", LAIO_FORBID_RING | LAIO_FORBID_CACHED, "nothing,cached");
    expect("one,ring,two", LAIO_FORBID_RING, "one,ring,two");
    expect("ringcached", 0, "ringcached");
    expect("ring;cached", 0, "ring;cached");
    expect("0x1", 0, "0x1");
    expect("ring,\xff\xfe", LAIO_FORBID_RING, "\xff\xfe");
}

TEST(forbidden_list, is_in_lower_case) {
    expect("RING", 0, "RING");
    expect("Ring,cached", LAIO_FORBID_CACHED, "Ring,cached");
}

TEST(forbidden_list, has_no_spaces) {
    expect(" ring", 0, " ring");
    expect("ring ,cached", LAIO_FORBID_CACHED, "ring ,cached");
    expect("ring, cached", LAIO_FORBID_RING, " cached");
    expect(" ", 0, " ");
    expect("ring\n", 0, "ring\n");
}

TEST(forbidden_list, can_be_very_long) {
    std::string list;
    for (std::size_t i = 0; i < 10'000; ++i) list += std::string(i % 50 + 1, 'y') + ",";
    list += "defer";
    expect(list.c_str(), LAIO_FORBID_DEFER, list.c_str());
}

// ---- What is asked -------------------------------------------------------------------------------------------------

constexpr std::uint32_t nothing = 0;

TEST(features_here, are_none_that_the_kernel_refuses) {
    const features has = ask_features(nothing);
    EXPECT_TRUE(has.attempts);
    EXPECT_EQ(has.nowait, has.nowait_errno == 0);
    EXPECT_EQ(has.cached, has.cached_errno == 0);
    EXPECT_EQ(has.pidfd, has.pidfd_errno == 0);

    const long process = syscall(SYS_pidfd_open, getpid(), 0);
    EXPECT_EQ(process >= 0, has.pidfd) << std::strerror(errno);
    if (process >= 0) close(static_cast<int>(process));

    open_how how{};
    how.flags = O_PATH;
    how.resolve = RESOLVE_CACHED;
    const long root = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how); // is in memory as long as the machine runs
    EXPECT_EQ(root >= 0, has.cached) << std::strerror(errno);
    if (root >= 0) close(static_cast<int>(root));

    char byte = 0;
    const iovec one{&byte, 1};
    const int program = open("/proc/self/exe", O_RDONLY);
    const ssize_t got = preadv2(program, &one, 1, 0, RWF_NOWAIT);
    const bool works =
        got == 1 || (got < 0 && (errno == EAGAIN || errno == EOPNOTSUPP)); // some file systems have it not
    EXPECT_EQ(works, has.nowait) << std::strerror(errno);
    close(program);
}

TEST(features_here, leave_no_descriptor_open) {
    const auto count_open = [] {
        int open_now = 0;
        for (int descriptor = 0; descriptor < 1024; ++descriptor) open_now += fcntl(descriptor, F_GETFD) >= 0 ? 1 : 0;
        return open_now;
    };
    const int before = count_open();
    ask_features(nothing);
    EXPECT_EQ(count_open(), before);
}

TEST(forbidden_features, are_not_had_and_say_so) {
    const features has = ask_features(LAIO_FORBID_NOWAIT | LAIO_FORBID_CACHED | LAIO_FORBID_PIDFD);
    EXPECT_FALSE(has.nowait);
    EXPECT_FALSE(has.cached);
    EXPECT_FALSE(has.pidfd);
    EXPECT_EQ(has.nowait_errno, ECANCELED);
    EXPECT_EQ(has.cached_errno, ECANCELED);
    EXPECT_EQ(has.pidfd_errno, ECANCELED);
    EXPECT_TRUE(has.attempts);
    EXPECT_FALSE(ask_features(LAIO_FORBID_ATTEMPTS).attempts);
}

TEST(forbidden_features, that_are_others_change_nothing) {
    const features plain = ask_features(nothing);
    const features has =
        ask_features(LAIO_FORBID_RING | LAIO_FORBID_READINESS | LAIO_FORBID_RING_NEW | LAIO_FORBID_DEFER);
    EXPECT_EQ(has.nowait_errno, plain.nowait_errno);
    EXPECT_EQ(has.cached_errno, plain.cached_errno);
    EXPECT_EQ(has.pidfd_errno, plain.pidfd_errno);
    EXPECT_TRUE(has.attempts);
}

struct asked {
    std::uint32_t bit;
    unsigned number;
    int features::*error;
    bool features::*is_there;
};

constexpr asked all_asked[] = {
    {LAIO_FORBID_NOWAIT, SYS_preadv2, &features::nowait_errno, &features::nowait},
    {LAIO_FORBID_CACHED, SYS_openat2, &features::cached_errno, &features::cached},
    {LAIO_FORBID_PIDFD, SYS_pidfd_open, &features::pidfd_errno, &features::pidfd},
    {LAIO_FORBID_CACHESTAT, laio::sys_cachestat, &features::cachestat_errno, &features::cachestat},
};

TEST(refused_features, are_not_had_and_say_why) {
    for (const asked &one : all_asked) {
        for (const int error : {EPERM, ENOSYS, EACCES}) {
            const auto end = in_child([&] {
                if (!laio::test::refuse_calls({one.number}, error)) return cannot;
                const features has = ask_features(nothing);
                if (has.*one.is_there) return -1L;
                for (const asked &other : all_asked)
                    if (&other != &one && has.*other.error == error) return -2L;
                return static_cast<long>(has.*one.error);
            });
            if (end.value == cannot) GTEST_SKIP() << "no seccomp filter to be had";
            EXPECT_EQ(end.value, error) << one.number << " " << end;
        }
    }
}

// A filter may answer by killing: what is forbidden must not even be asked for.
TEST(forbidden_features, are_not_asked_for) {
    for (const asked &one : all_asked) {
        const auto asks = [&](std::uint32_t forbidden) {
            return in_child([&] {
                if (!laio::test::kill_for_calls({one.number})) return cannot;
                return static_cast<long>(ask_features(forbidden).*one.error);
            });
        };
        const auto forbidden = asks(one.bit);
        if (forbidden.value == cannot) GTEST_SKIP() << "no seccomp filter to be had";
        EXPECT_TRUE(forbidden.returned) << one.number << " " << forbidden;
        EXPECT_EQ(forbidden.value, ECANCELED) << one.number;
        EXPECT_EQ(asks(LAIO_FORBID_ALL & ~one.bit).signal, SIGSYS) << one.number << ": what is not forbidden is asked";
    }
}

// No answer is not a no: the attempts themselves find out.
TEST(features_here, are_not_given_up_for_want_of_a_descriptor) {
    const features plain = ask_features(nothing);
    const auto end = in_child([&] {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = 0;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || dup(0) >= 0) return cannot;
        const features has = ask_features(nothing);
        long lost = 0;
        for (const asked &one : all_asked)
            if (has.*one.is_there != plain.*one.is_there) lost = lost * 1000 + one.number;
        return lost;
    });
    if (end.value == cannot) GTEST_SKIP() << "the limit on descriptors does not hold here";
    EXPECT_TRUE(end.returned) << end;
    EXPECT_EQ(end.value, 0) << "the numbers of the calls that were given up";
}

} // namespace
