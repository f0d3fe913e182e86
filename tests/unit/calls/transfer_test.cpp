// What is left of a call that moves bytes: whatever the steps, the bytes are those of the whole, each once and in order.
#include "calls/transfer.hpp"

#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <cstring>
#include <random>
#include <sys/uio.h>
#include <vector>

namespace {

using laio::capture;
using laio::header_of;
using laio::note_moved;
using laio::operation;
using laio::rest_of;
using laio::size_of;
using laio::total;
using laio::transfer;
using laio::transfer_max;
using laio::test::fence;
using laio::test::pattern;
using laio::test::trial;

laio::surroundings nowhere{};

// Bytes cut into entries of the given lengths.
struct vector {
    explicit vector(const std::vector<std::size_t> &lengths) {
        std::size_t size = 0;
        for (const std::size_t length : lengths) size += length;
        bytes = pattern(size);
        char *at = bytes.data();
        for (const std::size_t length : lengths) {
            entries.push_back({length > 0 ? at : nullptr, length});
            at += length;
        }
    }
    vector(const vector &) = delete;
    vector &operator=(const vector &) = delete;

    std::string bytes;
    std::vector<iovec> entries;
};

// What the kernel would take if it took `length` bytes.
std::string first_bytes(const iovec *entries, long count, std::size_t length) {
    std::string taken;
    for (long i = 0; i < count && taken.size() < length; ++i) {
        const std::size_t part = std::min(entries[i].iov_len, length - taken.size());
        taken.append(static_cast<const char *>(entries[i].iov_base), part);
    }
    EXPECT_EQ(taken.size(), length);
    return taken;
}

std::size_t bytes_in(const iovec *entries, long count) {
    std::size_t bytes = 0;
    for (long i = 0; i < count; ++i) bytes += entries[i].iov_len;
    return bytes;
}

const std::vector<std::vector<std::size_t>> shapes() {
    std::vector<std::vector<std::size_t>> all = {
        {1},
        {100},
        {1, 1, 1},
        {0, 5},
        {5, 0},
        {0, 0, 5, 0, 0, 5, 0, 0},
        {3, 0, 4096, 1, 0, 7},
        {1, 2, 3, 4, 5, 6},    // as many as there is room for inside an operation,
        {1, 2, 3, 4, 5, 6, 7}, // and one more
        std::vector<std::size_t>(IOV_MAX, 1),
        std::vector<std::size_t>(IOV_MAX, 3),
    };
    std::mt19937 random{1};
    for (int i = 0; i < 200; ++i) {
        std::vector<std::size_t> lengths(1 + random() % 20);
        for (std::size_t &length : lengths) length = random() % 3 == 0 ? 0 : random() % 100;
        all.push_back(lengths);
    }
    return all;
}

// ---- Steps -----------------------------------------------------------------------------------------------------------

// In steps of any length, the first before the call went to the background, as the kernel may have it.
void go_in_steps(std::mt19937 &random, const std::vector<std::size_t> &lengths) {
    vector given{lengths};
    const vector untouched{lengths};
    trial tried{nowhere, SYS_writev, 5, given.entries.data(), given.entries.size()};
    operation &op = tried.op();
    const std::size_t all = given.bytes.size();
    ASSERT_EQ(size_of(op), all);
    std::string moved;
    for (int step = 0;; ++step) {
        iovec single{};
        const transfer rest = rest_of(op, single);
        ASSERT_EQ(bytes_in(rest.vector, rest.count), all - moved.size());
        ASSERT_EQ(rest.offset, -1);
        if (moved.size() == all && step > 1) break;
        const std::size_t length = all == moved.size() ? 0 : random() % (all - moved.size() + 1);
        moved += first_bytes(rest.vector, rest.count, length);
        note_moved(op, length);
        if (step == 0) {
            ASSERT_EQ(capture(op), 0);
            std::fill(given.entries.begin(), given.entries.end(), iovec{nullptr, 1}); // the application's again
        }
        ASSERT_EQ(op.moved, moved.size());
        ASSERT_EQ(size_of(op), all) << "what was asked for stays";
    }
    EXPECT_EQ(moved, untouched.bytes);
    EXPECT_EQ(total(op, 0), static_cast<long>(all));
}

TEST(a_vector, in_steps_is_moved_as_a_whole_and_once) {
    std::mt19937 random{1};
    for (const auto &lengths : shapes()) {
        SCOPED_TRACE(std::to_string(lengths.size()) + " entries");
        for (int i = 0; i < 5; ++i) go_in_steps(random, lengths);
        if (testing::Test::HasFatalFailure()) return;
    }
}

TEST(a_vector, is_never_edited_where_the_application_has_it) {
    vector given{{10, 20, 30}};
    const std::vector<iovec> before = given.entries;
    trial tried{nowhere, SYS_writev, 5, given.entries.data(), given.entries.size()};
    ASSERT_EQ(capture(tried.op()), 0);
    note_moved(tried.op(), 25);
    ASSERT_EQ(capture(tried.op()), 0) << "captured already";
    note_moved(tried.op(), 10);
    EXPECT_EQ(std::memcmp(given.entries.data(), before.data(), before.size() * sizeof(iovec)), 0);
    iovec single{};
    const transfer rest = rest_of(tried.op(), single);
    EXPECT_EQ(bytes_in(rest.vector, rest.count), 25U);
    EXPECT_EQ(first_bytes(rest.vector, rest.count, 25), given.bytes.substr(35));
}

TEST(a_single_buffer, in_steps_is_what_was_not_moved_yet) {
    std::string bytes = pattern(1000);
    for (const long number : {SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_recvfrom, SYS_sendto}) {
        SCOPED_TRACE(number);
        const bool positioned = number == SYS_pread64 || number == SYS_pwrite64;
        trial tried{nowhere, number, 5, bytes.data(), bytes.size(), positioned ? 7000L : 0L};
        EXPECT_EQ(size_of(tried.op()), 1000U);
        for (const std::size_t moved : {0UL, 1UL, 499UL, 1000UL}) {
            note_moved(tried.op(), moved - tried.op().moved);
            iovec single{};
            const transfer rest = rest_of(tried.op(), single);
            ASSERT_EQ(rest.count, 1);
            EXPECT_EQ(rest.vector[0].iov_base, bytes.data() + moved);
            EXPECT_EQ(rest.vector[0].iov_len, 1000 - moved);
            EXPECT_EQ(rest.offset, positioned ? 7000 + static_cast<long>(moved) : -1);
            const laio::call call = rest_as_call(tried.op());
            EXPECT_EQ(call.number, number);
            EXPECT_EQ(call.a[1], laio::word(bytes.data() + moved));
            EXPECT_EQ(call.a[2], static_cast<long>(1000 - moved));
            if (positioned) { EXPECT_EQ(call.a[3], 7000 + static_cast<long>(moved)); }
        }
    }
}

TEST(a_vector_at_an_offset, goes_on_where_the_last_step_ended) {
    for (const long number : {SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2}) {
        SCOPED_TRACE(number);
        const bool has_flags = number == SYS_preadv2 || number == SYS_pwritev2;
        vector given{{10, 20}};
        trial tried{nowhere, number, 5, given.entries.data(), 2, 7000L, 0L, has_flags ? 4L : 0L};
        ASSERT_EQ(capture(tried.op()), 0);
        note_moved(tried.op(), 15);
        iovec single{};
        const transfer rest = rest_of(tried.op(), single);
        EXPECT_EQ(rest.offset, 7015);
        EXPECT_EQ(rest.flags, has_flags ? 4 : 0);
        const laio::call call = rest_as_call(tried.op());
        EXPECT_EQ(call.a[3], 7015);
        EXPECT_EQ(call.a[5], has_flags ? 4 : 0);
        EXPECT_EQ(first_bytes(laio::pointer<iovec>(call.a[1]), call.a[2], 15), given.bytes.substr(15));
    }
}

TEST(a_vector_at_the_file_s_offset, leaves_that_to_the_kernel) {
    vector given{{10, 20}};
    for (const long number : {SYS_preadv2, SYS_pwritev2}) {
        trial tried{nowhere, number, 5, given.entries.data(), 2, -1L, 0L, 0L};
        ASSERT_EQ(capture(tried.op()), 0);
        note_moved(tried.op(), 15);
        iovec single{};
        EXPECT_EQ(rest_of(tried.op(), single).offset, -1);
        EXPECT_EQ(rest_as_call(tried.op()).a[3], -1);
    }
}

// ---- Sizes -----------------------------------------------------------------------------------------------------------

TEST(a_size, is_at_most_what_linux_moves_at_once) {
    char byte = 0;
    EXPECT_EQ(size_of(trial(nowhere, SYS_write, 5, &byte, 0).op()), 0U);
    EXPECT_EQ(size_of(trial(nowhere, SYS_write, 5, &byte, 1L << 40U).op()), transfer_max);
    EXPECT_EQ(size_of(trial(nowhere, SYS_write, 5, &byte, static_cast<long>(transfer_max)).op()), transfer_max);
    const iovec two[2] = {{&byte, transfer_max - 1}, {&byte, 100}};
    EXPECT_EQ(size_of(trial(nowhere, SYS_writev, 5, two, 1).op()), transfer_max - 1);
    EXPECT_EQ(size_of(trial(nowhere, SYS_writev, 5, two, 2).op()), transfer_max);
    EXPECT_EQ(size_of(trial(nowhere, SYS_writev, 5, two, 0).op()), 0U);
}

TEST(a_size, of_a_message_is_that_of_its_vector) {
    vector given{{10, 0, 20}};
    msghdr header{};
    header.msg_iov = given.entries.data();
    header.msg_iovlen = given.entries.size();
    trial tried{nowhere, SYS_sendmsg, 5, &header, 0};
    EXPECT_EQ(size_of(tried.op()), 30U);
    ASSERT_EQ(capture(tried.op()), 0);
    note_moved(tried.op(), 12);
    header = {};
    EXPECT_EQ(size_of(tried.op()), 30U);
}

TEST(a_length, is_absurd_when_no_memory_has_it) {
    EXPECT_FALSE(laio::is_absurd(0));
    EXPECT_FALSE(laio::is_absurd(1L << 40U));
    EXPECT_TRUE(laio::is_absurd(-1));
    EXPECT_TRUE(laio::is_absurd(LONG_MIN));
    EXPECT_TRUE(laio::is_absurd(LONG_MAX));
}

// ---- Totals ----------------------------------------------------------------------------------------------------------

TEST(a_total, is_the_last_answer_when_nothing_moved_before) {
    trial tried{nowhere, SYS_write, 5, nullptr, 100};
    for (const long last : {-EPIPE, -ECANCELED, 0, 1, 100}) EXPECT_EQ(total(tried.op(), last), last);
}

TEST(a_total, is_what_moved_whatever_came_after) {
    trial tried{nowhere, SYS_write, 5, nullptr, 100};
    note_moved(tried.op(), 40);
    EXPECT_EQ(total(tried.op(), 60), 100);
    EXPECT_EQ(total(tried.op(), 0), 40);
    EXPECT_EQ(total(tried.op(), -EPIPE), 40);
}

TEST(an_end_that_was_asked_for, gives_what_moved_or_says_who_asked) {
    trial cancelled{nowhere, SYS_write, 5, nullptr, 100};
    EXPECT_EQ(result_of_end(cancelled.op()), -ECANCELED);
    note_moved(cancelled.op(), 7);
    EXPECT_EQ(result_of_end(cancelled.op()), 7);
    trial late{nowhere, SYS_recvfrom, 5, nullptr, 100};
    late.op().timed_out = true;
    EXPECT_EQ(result_of_end(late.op()), -EAGAIN) << "as after SO_RCVTIMEO";
}

TEST(forms_that_wait_for_the_other_end, are_those_that_move_bytes_and_accept) {
    using enum laio::form;
    for (const laio::form f : {read, write, receive, send, receive_many, send_many, accept})
        EXPECT_TRUE(laio::waits_for_peer(f)) << laio::name_of(f);
    for (const laio::form f : {none, open, status, close, lock, control, wait, sleep, poll, events, random, futex})
        EXPECT_FALSE(laio::waits_for_peer(f)) << laio::name_of(f);
}

// ---- Messages --------------------------------------------------------------------------------------------------------

class a_message : public testing::Test {
protected:
    vector given{{10, 20}};
    char name[16]{};
    char control[64]{};
    msghdr header{};

    void SetUp() override {
        header.msg_name = name;
        header.msg_namelen = sizeof name;
        header.msg_iov = given.entries.data();
        header.msg_iovlen = given.entries.size();
        header.msg_control = control;
        header.msg_controllen = sizeof control;
    }
};

TEST_F(a_message, is_the_application_s_own_until_it_goes_to_the_background) {
    trial tried{nowhere, SYS_recvmsg, 5, &header, 0};
    EXPECT_EQ(header_of(tried.op()), &header);
}

TEST_F(a_message, in_the_background_is_a_copy_of_all_of_it) {
    trial tried{nowhere, SYS_recvmsg, 5, &header, 0};
    ASSERT_EQ(capture(tried.op()), 0);
    header = {}; // the application's again
    const msghdr copy = *header_of(tried.op());
    EXPECT_EQ(copy.msg_name, name);
    EXPECT_EQ(copy.msg_namelen, sizeof name);
    EXPECT_EQ(copy.msg_control, control);
    EXPECT_EQ(copy.msg_controllen, sizeof control);
    EXPECT_EQ(first_bytes(copy.msg_iov, static_cast<long>(copy.msg_iovlen), 30), given.bytes);
    const laio::call call = rest_as_call(tried.op());
    EXPECT_EQ(laio::pointer<msghdr>(call.a[1])->msg_name, name);
}

TEST_F(a_message, without_a_vector_is_copied_too) {
    header.msg_iovlen = 0;
    trial tried{nowhere, SYS_sendmsg, 5, &header, 0};
    ASSERT_EQ(capture(tried.op()), 0);
    header = {};
    const msghdr copy = *header_of(tried.op());
    EXPECT_EQ(copy.msg_name, name);
    EXPECT_EQ(copy.msg_iovlen, 0U);
    EXPECT_EQ(copy.msg_control, control);
}

TEST_F(a_message, sends_its_control_data_with_the_first_byte_only) {
    trial tried{nowhere, SYS_sendmsg, 5, &header, 0};
    note_moved(tried.op(), 1);
    ASSERT_EQ(capture(tried.op()), 0);
    const msghdr &rest = *header_of(tried.op());
    EXPECT_EQ(rest.msg_control, nullptr);
    EXPECT_EQ(rest.msg_controllen, 0U);
    EXPECT_EQ(first_bytes(rest.msg_iov, static_cast<long>(rest.msg_iovlen), 29), given.bytes.substr(1));
    EXPECT_EQ(header.msg_control, control) << "in the copy only";
}

TEST_F(a_message, that_was_received_through_a_copy_is_reported_in_the_application_s) {
    trial tried{nowhere, SYS_recvmsg, 5, &header, 0};
    ASSERT_EQ(capture(tried.op()), 0);
    msghdr &copy = *header_of(tried.op());
    copy.msg_namelen = 3; // what the kernel fills in
    copy.msg_controllen = 16;
    copy.msg_flags = MSG_TRUNC;
    write_back(tried.op());
    EXPECT_EQ(header.msg_namelen, 3U);
    EXPECT_EQ(header.msg_controllen, 16U);
    EXPECT_EQ(header.msg_flags, MSG_TRUNC);
    EXPECT_EQ(header.msg_iov, given.entries.data());
    EXPECT_EQ(header.msg_iovlen, 2U);
}

// Nothing comes back from a message that was sent, and where it was may be something else by then.
TEST_F(a_message, that_was_sent_through_a_copy_is_not_reported) {
    trial tried{nowhere, SYS_sendmsg, 5, &header, 0};
    ASSERT_EQ(capture(tried.op()), 0);
    std::memset(&header, 0x55, sizeof header); // the application's again
    const msghdr before = header;
    write_back(tried.op());
    EXPECT_EQ(std::memcmp(&header, &before, sizeof header), 0);
}

TEST_F(a_message, says_no_more_after_its_first_bytes) {
    trial tried{nowhere, SYS_recvmsg, 5, &header, 0};
    note_moved(tried.op(), 1);
    ASSERT_EQ(capture(tried.op()), 0);
    header_of(tried.op())->msg_flags = MSG_TRUNC;
    write_back(tried.op());
    EXPECT_EQ(header.msg_controllen, sizeof control);
    EXPECT_EQ(header.msg_flags, 0);
}

TEST(an_array_of_messages, goes_on_with_the_next_one) {
    mmsghdr messages[10]{};
    for (const long number : {SYS_recvmmsg, SYS_sendmmsg}) {
        trial tried{nowhere, number, 5, messages, 10, 0, 0};
        note_moved(tried.op(), 3);
        const laio::call call = rest_as_call(tried.op());
        EXPECT_EQ(call.a[1], laio::word(messages + 3));
        EXPECT_EQ(call.a[2], 7);
    }
}

// ---- Copies ----------------------------------------------------------------------------------------------------------

TEST(a_time, is_copied_for_the_background) {
    timespec time{1, 2};
    trial tried{nowhere, SYS_ppoll, nullptr, 0, &time, nullptr, 8};
    ASSERT_EQ(capture(tried.op()), 0);
    time = {3, 4};
    const auto *copy = laio::pointer<const timespec>(rest_as_call(tried.op()).a[2]);
    EXPECT_NE(copy, &time);
    EXPECT_EQ(copy->tv_sec, 1);
    EXPECT_EQ(copy->tv_nsec, 2);
}

TEST(a_time, that_is_not_there_is_not_copied) {
    trial tried{nowhere, SYS_ppoll, nullptr, 0, nullptr, nullptr, 8};
    ASSERT_EQ(capture(tried.op()), 0);
    EXPECT_EQ(rest_as_call(tried.op()).a[2], 0);
}

// What cannot be read is left for the kernel to refuse.
TEST(bad_pointers, are_not_touched) {
    const fence memory;
    for (char *bad : {memory.beyond(), memory.last(8), reinterpret_cast<char *>(8), reinterpret_cast<char *>(-4096L)}) {
        trial vector_call{nowhere, SYS_writev, 5, bad, 3};
        EXPECT_EQ(capture(vector_call.op()), 0);
        EXPECT_EQ(rest_as_call(vector_call.op()).a[1], laio::word(bad));
        trial header_call{nowhere, SYS_sendmsg, 5, bad, 0};
        EXPECT_EQ(capture(header_call.op()), 0);
        EXPECT_EQ(rest_as_call(header_call.op()).a[1], laio::word(bad));
        trial timed_call{nowhere, SYS_ppoll, nullptr, 0, bad, nullptr, 8};
        EXPECT_EQ(capture(timed_call.op()), 0);
        EXPECT_EQ(rest_as_call(timed_call.op()).a[2], laio::word(bad));
        msghdr header{};
        header.msg_iov = reinterpret_cast<iovec *>(bad);
        header.msg_iovlen = 3;
        trial inner{nowhere, SYS_sendmsg, 5, &header, 0};
        EXPECT_EQ(capture(inner.op()), 0);
        EXPECT_EQ(laio::pointer<msghdr>(rest_as_call(inner.op()).a[1])->msg_iov, header.msg_iov);
    }
}

TEST(impossible_counts, are_left_for_the_kernel_to_refuse) {
    char byte = 0;
    const std::vector<iovec> entries(IOV_MAX + 1, iovec{&byte, 1});
    for (const long count : {-1L, 0L, IOV_MAX + 1L, LONG_MAX, LONG_MIN}) {
        trial tried{nowhere, SYS_writev, 5, entries.data(), count};
        EXPECT_EQ(capture(tried.op()), 0);
        const laio::call call = rest_as_call(tried.op());
        EXPECT_EQ(call.a[1], laio::word(entries.data()));
        EXPECT_EQ(call.a[2], count);
    }
}

// ---- What a carrier is given -----------------------------------------------------------------------------------------

TEST(a_call_for_a_carrier, is_the_call_itself_when_nothing_moved_and_nothing_was_copied) {
    trial tried{nowhere, SYS_pread64, 5, &nowhere, 100, 7};
    const laio::call call = rest_as_call(tried.op());
    EXPECT_EQ(std::memcmp(&call, &tried.op().made, sizeof call), 0);
}

// The carrier's mask must let the signal through that cancels it.
TEST(a_call_for_a_carrier, brings_no_signal_mask_along) {
    const std::uint64_t mask = ~std::uint64_t{0};
    const long six[6] = {1, laio::word(&mask), 0, 0, 0, 0};
    EXPECT_EQ(rest_as_call(trial(nowhere, SYS_ppoll, six[0], 0, 0, &mask, 8).op()).a[3], 0);
    EXPECT_EQ(rest_as_call(trial(nowhere, SYS_epoll_pwait, 5, 0, 1, -1, &mask, 8).op()).a[4], 0);
    EXPECT_EQ(rest_as_call(trial(nowhere, SYS_epoll_pwait2, 5, 0, 1, 0, &mask, 8).op()).a[4], 0);
    EXPECT_EQ(rest_as_call(trial(nowhere, SYS_pselect6, 0, 0, 0, 0, 0, &six).op()).a[5], 0);
}

// It may come late, when the number means another file already.
TEST(a_call_for_a_carrier, uses_the_descriptor_that_was_held_for_it) {
    trial reading{nowhere, SYS_read, 5, nullptr, 100};
    reading.op().own_descriptor = eventfd(0, EFD_CLOEXEC);
    EXPECT_EQ(rest_as_call(reading.op()).a[0], reading.op().own_descriptor);
    trial sleeping{nowhere, SYS_clock_nanosleep, CLOCK_REALTIME, 0, nullptr, nullptr};
    sleeping.op().own_descriptor = eventfd(0, EFD_CLOEXEC); // its timer: not what the call is about
    EXPECT_EQ(rest_as_call(sleeping.op()).a[0], CLOCK_REALTIME);
}

} // namespace
