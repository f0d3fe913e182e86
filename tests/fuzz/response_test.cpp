// Seeded fuzzing of what laio-replay reads responses with. Valid ones come out as they were written, however they are cut and
// whatever of their bodies is dropped unread; damaged ones end, count no byte that did not come, and end in a way that does
// not hang on the cuts, but for heads near the limit of their size and those that end amid a fault. LAIO_FUZZ_SEED and
// LAIO_FUZZ_ROUNDS repeat a failure or go on for longer.
#include "client/response_reader.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

namespace {

using laio::test::dice;
using laio::test::from_environment;
using replay::failure;
using replay::response_reader;

struct sample {
    std::string bytes;
    int status = 200;
    std::uint64_t body_bytes = 0;
    bool persists = true;
    bool at_close = false;
};

std::string chunks_of(dice &random, const std::string &body) {
    static const std::vector<std::string> extensions = {"", "", ";a", ";a=b", ";a=\"b;c\""};
    std::string made;
    for (std::size_t at = 0; at < body.size();) {
        const auto n = 1 + random.below(body.size() - at);
        char size[20];
        std::snprintf(size, sizeof size, random.one_in(2) ? "%zx" : "%zX", n);
        made += size + random.of(extensions) + "\r\n" + body.substr(at, n) + "\r\n";
        at += n;
    }
    return made + "0\r\n" + (random.one_in(3) ? "Trailer: x\r\n" : "") + "\r\n";
}

sample valid_response(dice &random) {
    static const std::vector<std::string> fields = {"Server: fuzz\r\n",           "X:\r\n",
                                                    "Date: \t now \r\n",          "ETag: \"a\"\r\n",
                                                    "Connection: keep-alive\r\n", "Content-Type: a/b; c=\"d\"\r\n"};
    static const std::vector<std::string> reasons = {"OK", "", "Not so  well", "\xe9"};
    static const int statuses[] = {200, 200, 200, 204, 206, 304, 404, 500, 599};
    sample made;
    for (auto n = random.one_in(4) ? random.below(4) : 0; n > 0; --n)
        made.bytes +=
            random.one_in(2) ? "HTTP/1.1 100 Continue\r\n\r\n" : "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    made.status = statuses[random.below(std::size(statuses))];
    made.bytes += "HTTP/1.1 " + std::to_string(made.status) + " " + random.of(reasons) + "\r\n";
    for (auto n = random.below(4); n > 0; --n) made.bytes += random.of(fields);
    if (random.one_in(6)) {
        made.bytes += "connection: Close\r\n";
        made.persists = false;
    }
    if (made.status == 204 || made.status == 304) {
        made.bytes += "\r\n";
        return made;
    }
    std::string body(random.below(random.one_in(4) ? 3000 : 30), '\0');
    std::generate(body.begin(), body.end(), [&random] { return random.byte(); });
    made.body_bytes = body.size();
    switch (random.below(3)) {
    case 0: made.bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body; break;
    case 1: made.bytes += "Transfer-Encoding: chunked\r\n\r\n" + chunks_of(random, body); break;
    default:
        made.bytes += "\r\n" + body;
        made.persists = false;
        made.at_close = true;
    }
    return made;
}

void damage(dice &random, std::string &bytes) {
    static const std::vector<std::string> splinters = {"\r\n",
                                                       "\n",
                                                       "\r",
                                                       std::string(1, '\0'),
                                                       " ",
                                                       ":",
                                                       "\r\n\r\n",
                                                       "0\r\n\r\n",
                                                       "HTTP/1.1 ",
                                                       "HTTP/1.1 100 x\r\n\r\n",
                                                       "Content-Length: 3\r\n",
                                                       "Transfer-Encoding: chunked\r\n",
                                                       "Content-Length: 99999999999999999999\r\n",
                                                       "Transfer-Encoding: gzip, chunked\r\n",
                                                       "ffffffffffffffff\r\n",
                                                       std::string(70000, 'x'),
                                                       " folded\r\n\tx\r\n"};
    laio::test::damage(random, bytes, splinters);
}

// In pieces of random sizes; what may be dropped is dropped, or not.
void feed(dice &random, response_reader &reader, std::string_view bytes) {
    const bool drops = random.one_in(2);
    const auto piece = random.of({"1", "9", "100", "5000", "100000"});
    reader.start();
    while (!bytes.empty()) {
        auto n = std::min<std::size_t>(1 + random.below(std::stoul(piece)), bytes.size());
        if (drops && !reader.ended() && reader.droppable() > 0) {
            n = std::min<std::size_t>(n, reader.droppable() + 1);
            reader.dropped(n);
        } else {
            reader.take(bytes.substr(0, n));
        }
        bytes.remove_prefix(n);
    }
    reader.peer_closed();
}

// A head that is neither whole nor sound is either, depending on when one stops to look.
failure one_of_both(const response_reader &reader) {
    const auto verdict = reader.verdict();
    return verdict == failure::truncated ? failure::malformed : verdict;
}

TEST(response, valid_ones_are_read_and_damaged_ones_end) {
    const auto seed = from_environment("LAIO_FUZZ_SEED", std::random_device{}());
    const auto rounds = from_environment("LAIO_FUZZ_ROUNDS", 20000);
    std::cout << "LAIO_FUZZ_SEED=" << seed << std::endl;
    dice random(seed);
    response_reader reader, other;
    for (std::uint64_t round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
        auto made = valid_response(random);
        SCOPED_TRACE("round " + std::to_string(round) + ": " + testing::PrintToString(made.bytes.substr(0, 2000)));
        feed(random, reader, made.bytes);
        EXPECT_EQ(reader.verdict(), made.status / 100 == 2 ? failure::none : failure::bad_status)
            << name_of(reader.verdict());
        EXPECT_EQ(reader.status(), made.status);
        EXPECT_EQ(reader.body_bytes(), made.body_bytes);
        EXPECT_EQ(reader.connection_persists(), made.persists);

        damage(random, made.bytes);
        SCOPED_TRACE("damaged: " + testing::PrintToString(made.bytes.substr(0, 2000)));
        feed(random, reader, made.bytes);
        feed(random, other, made.bytes);
        ASSERT_TRUE(reader.ended() && other.ended());
        EXPECT_LE(reader.body_bytes(), made.bytes.size());
        // How much of a head counts against its limit depends on the pieces it comes in.
        if (made.bytes.find("\r\n\r\n") > response_reader::head_bytes_max) continue;
        EXPECT_EQ(one_of_both(reader), one_of_both(other));
        if (reader.verdict() == failure::none) { EXPECT_EQ(reader.body_bytes(), other.body_bytes()); }
    }
}

} // namespace
