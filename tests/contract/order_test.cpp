// Order: two calls waiting on one descriptor in one direction complete in the order they were made, never interleaved;
// likewise on a shared file offset. Directions, and descriptors, are independent of each other (laio(7), "Order").
#include "harness.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class order : public contract_test {};

constexpr std::size_t many = 10;

std::vector<descriptor_pair> stream_pairs() {
    std::vector<descriptor_pair> pairs;
    pipe_ends ends = make_pipe();
    pairs.push_back({std::move(ends.reader), std::move(ends.writer)});
    pairs.push_back(make_unix_pair());
    pairs.push_back(make_tcp_pair());
    pairs.push_back(make_pty());
    return pairs;
}

void expect_in_order(const std::vector<call_record *> &calls) {
    for (std::size_t index = 1; index < calls.size(); ++index)
        EXPECT_LT(calls[index - 1]->order, calls[index]->order) << "calls " << index - 1 << " and " << index;
}

TEST_P(order, waiting_reads_get_the_bytes_in_turn) {
    for (const descriptor_pair &pair : stream_pairs()) {
        std::array<char, many> bytes{};
        const auto calls = begin_reads(pair.near.get(), bytes);
        for (const call_record *call : calls) EXPECT_FALSE(call->is_direct());
        write_all(pair.far.get(), "0123456789");
        finish_all();
        for (const call_record *call : calls) EXPECT_EQ(call->result, (outcome{1, 0}));
        EXPECT_EQ((std::string_view{bytes.data(), many}), "0123456789");
        expect_in_order(calls);
    }
}

// One byte at a time, and each read for more than there is.
TEST_P(order, each_arrival_completes_the_oldest) {
    for (const descriptor_pair &pair : stream_pairs()) {
        std::array<std::array<char, 8>, many> buffers{};
        const auto calls = begin_reads(pair.near.get(), buffers);
        for (std::size_t turn = 0; turn < many; ++turn) {
            const char byte = static_cast<char>('a' + turn);
            write_all(pair.far.get(), {&byte, 1});
            EXPECT_EQ(finish(calls[turn]), (outcome{1, 0}));
            EXPECT_EQ(buffers[turn][0], byte);
            EXPECT_EQ(laio_outstanding(), static_cast<int>(many - turn - 1));
        }
        expect_in_order(calls);
    }
}

// Different calls that read from one descriptor stand in one queue.
TEST_P(order, reads_of_different_kinds_stand_in_one_queue) {
    const descriptor_pair pair = make_unix_pair();
    std::array<char, 4> bytes{};
    iovec second{&bytes[1], 1};
    iovec fourth{&bytes[3], 1};
    msghdr message{};
    message.msg_iov = &fourth;
    message.msg_iovlen = 1;
    const std::vector<call_record *> calls{begin(SYS_read, pair.near.get(), &bytes[0], 1),
                                           begin(SYS_readv, pair.near.get(), &second, 1),
                                           begin(SYS_recvfrom, pair.near.get(), &bytes[2], 1, 0, nullptr, nullptr),
                                           begin(SYS_recvmsg, pair.near.get(), &message, 0)};
    write_all(pair.far.get(), "0123");
    finish_all();
    EXPECT_EQ((std::string_view{bytes.data(), bytes.size()}), "0123");
    expect_in_order(calls);
}

TEST_P(order, new_call_does_not_overtake_waiting_ones) {
    for (const descriptor_pair &pair : stream_pairs()) {
        char first = 0;
        char second = 0;
        call_record *waiting = begin(SYS_read, pair.near.get(), &first, 1);
        EXPECT_FALSE(waiting->is_direct());
        write_all(pair.far.get(), "1");
        // The byte is on its way to the first call, which has not been told: the second must not take it.
        call_record *later = begin(SYS_read, pair.near.get(), &second, 1);
        EXPECT_FALSE(later->is_direct());
        write_all(pair.far.get(), "2");
        finish_all();
        EXPECT_EQ(first, '1');
        EXPECT_EQ(second, '2');
        expect_in_order({waiting, later});
    }
}

TEST_P(order, writes_are_never_interleaved) {
    for (const bool socket : {false, true}) {
        descriptor_pair pair;
        if (socket) {
            pair = make_unix_pair();
        } else {
            pipe_ends ends = make_pipe();
            pair = {std::move(ends.writer), std::move(ends.reader)};
        }
        constexpr std::size_t size = 300000; // more than either takes at once
        std::vector<std::string> texts;
        for (std::size_t turn = 0; turn < many; ++turn) texts.emplace_back(size + turn, static_cast<char>('a' + turn));
        std::vector<call_record *> calls;
        std::string expected;
        for (const std::string &text : texts) {
            calls.push_back(begin(SYS_write, pair.near.get(), text.data(), text.size()));
            expected += text;
        }
        std::string seen;
        std::thread reader{[&] { seen = read_all(pair.far.get(), expected.size()); }};
        finish_all();
        reader.join();
        EXPECT_TRUE(seen == expected);
        for (std::size_t turn = 0; turn < many; ++turn)
            EXPECT_EQ(calls[turn]->result, (outcome{static_cast<long>(texts[turn].size()), 0}));
        expect_in_order(calls);
    }
}

// Also a small write behind a large one: there may be room for it in between.
TEST_P(order, small_write_waits_behind_a_large_one) {
    const descriptor_pair pair = make_unix_pair();
    const std::string large = pattern(1000000);
    call_record *first = begin(SYS_write, pair.near.get(), large.data(), large.size());
    EXPECT_FALSE(first->is_direct());
    std::string seen = read_all(pair.far.get(), 50000);
    call_record *second = begin(SYS_sendto, pair.near.get(), "end", 3, 0, nullptr, 0);
    EXPECT_FALSE(second->is_direct());
    std::thread reader{[&] { seen += read_all(pair.far.get(), large.size() + 3 - 50000); }};
    finish_all();
    reader.join();
    EXPECT_TRUE(seen == large + "end");
    expect_in_order({first, second});
}

TEST_P(order, directions_are_independent) {
    const descriptor_pair pair = make_unix_pair();
    char byte = 0;
    call_record *reading = begin(SYS_read, pair.near.get(), &byte, 1);
    EXPECT_EQ(done(SYS_write, pair.near.get(), "out", 3), (outcome{3, 0}));
    EXPECT_EQ(read_all(pair.far.get(), 3), "out");
    EXPECT_FALSE(reading->complete);
    fill(pair.near.get());
    call_record *writing = begin(SYS_write, pair.near.get(), "more", 4);
    EXPECT_FALSE(writing->is_direct());
    write_all(pair.far.get(), "i");
    EXPECT_EQ(finish(reading), (outcome{1, 0}));
    EXPECT_FALSE(writing->complete);
    std::thread reader{[&] {
        while (read_all(pair.far.get(), 1) != "m") {}
    }};
    EXPECT_EQ(finish(writing), (outcome{4, 0}));
    reader.join();
}

TEST_P(order, descriptors_are_independent) {
    const pipe_ends silent = make_pipe();
    const pipe_ends speaking = make_pipe();
    char byte = 0;
    char other = 0;
    call_record *waiting = begin(SYS_read, silent.reader.get(), &byte, 1);
    for (int turn = 0; turn < 100; ++turn) {
        call_record *call = begin(SYS_read, speaking.reader.get(), &other, 1);
        write_all(speaking.writer.get(), "x");
        EXPECT_EQ(finish(call), (outcome{1, 0}));
    }
    EXPECT_FALSE(waiting->complete);
    write_all(silent.writer.get(), "y");
    EXPECT_EQ(finish(waiting), (outcome{1, 0}));
}

// read(2): the file offset moves by the number of bytes read; calls in a row read parts in a row.
TEST_P(order, shared_file_offset) {
    const directory files;
    constexpr std::size_t block = 4096;
    const std::string content = pattern(block * many * 4, 3);
    const descriptor file = files.file("a", content);
    make_cold(file.get());
    std::vector<std::string> blocks(many, std::string(block, '\0'));
    const auto calls = begin_reads(file.get(), blocks);
    finish_all();
    for (std::size_t turn = 0; turn < many; ++turn) {
        EXPECT_EQ(calls[turn]->result, (outcome{block, 0}));
        EXPECT_TRUE(blocks[turn] == content.substr(turn * block, block)) << "read " << turn;
    }
    EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), static_cast<long>(block * many));
    expect_in_order(calls);
}

TEST_P(order, writes_at_a_shared_file_offset) {
    const directory files;
    const descriptor file = files.file("a", "");
    std::vector<std::string> texts;
    std::vector<call_record *> calls;
    std::string expected;
    for (std::size_t turn = 0; turn < many; ++turn)
        texts.push_back(pattern(5000 + turn, static_cast<std::uint32_t>(turn)));
    for (const std::string &text : texts) {
        calls.push_back(begin(SYS_write, file.get(), text.data(), text.size()));
        expected += text;
    }
    finish_all();
    for (std::size_t turn = 0; turn < many; ++turn)
        EXPECT_EQ(calls[turn]->result, (outcome{static_cast<long>(texts[turn].size()), 0}));
    EXPECT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
    EXPECT_TRUE(read_all(file.get(), expected.size() + 1) == expected);
}

// A write and then a read at the same offset of the same open file: the read begins where the write ended.
TEST_P(order, write_then_read_at_a_shared_file_offset) {
    const directory files;
    const descriptor file = files.file("a", "0123456789");
    std::array<char, 4> bytes{};
    call_record *writing = begin(SYS_write, file.get(), "abc", 3);
    call_record *reading = begin(SYS_read, file.get(), bytes.data(), bytes.size());
    finish_all();
    EXPECT_EQ(writing->result, (outcome{3, 0}));
    EXPECT_EQ(reading->result, (outcome{4, 0}));
    EXPECT_EQ((std::string_view{bytes.data(), bytes.size()}), "3456");
}

LAIO_CONTRACT_SUITE(order);

} // namespace
} // namespace laio::test
