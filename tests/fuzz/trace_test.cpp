// Seeded fuzzing of what laio-replay reads from outside: traces in all formats, lists of files, paths, parameters. Sound texts
// are made at random and must be read as they were made; then they are damaged, and whatever is read must be what a trace can
// hold and must come out of our own format as it went in; what is not must be an input_error. LAIO_FUZZ_SEED and
// LAIO_FUZZ_ROUNDS repeat a failure or go on for longer; run with sanitizers to see reads out of bounds.
#include "rounds.hpp"
#include "trace/decoded_path.hpp"
#include "trace/formats.hpp"
#include "trace/input_error.hpp"
#include "trace/log_line.hpp"
#include "trace/seconds.hpp"
#include "trace/text_format.hpp"
#include "workload/file_list.hpp"
#include "workload/parameters.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace {

using laio::test::dice;
using laio::test::run_rounds;
using replay::trace;
using replay::trace_format;

constexpr std::uint64_t rounds_by_default = 10'000;

void damage(dice &random, std::string &text) {
    static const std::vector<std::string> splinters = {"\n",  "\n\n",      " ",      "  ",
                                                       "\t",  "/",         "@",      "@1.5 ",
                                                       "#",   "\"",        "\\",     "\\x",
                                                       "%",   "%4",        "[",      "] \"",
                                                       "GET", "contents=", "'",      "method=",
                                                       "x=y", "\r",        "-",      "9",
                                                       ".",   "/a",        "\x7f",   std::string(1, '\0'),
                                                       "e99", "{",         "\"a\":", std::string(9000, 'x')};
    laio::test::damage(random, text, splinters);
}

std::string any_path(dice &random) {
    std::string path = "/";
    for (auto i = random.below(4); i > 0; --i)
        path += random.of({"a", "b.html", "%20", "?x=/y", "d7/", "\xc3\xa4", "#", "'", "\"q\"", "\\", "think=1"});
    return path;
}

using sequences = std::vector<std::vector<std::string>>;

sequences any_sequences(dice &random) {
    sequences made(random.below(5) + 1);
    for (auto &one : made)
        for (auto i = random.below(6) + 1; i > 0; --i) one.push_back(any_path(random));
    return made;
}

sequences sequences_of(const trace &from) {
    sequences made;
    for (std::size_t i = 0; i < from.sequences(); ++i) {
        auto &one = made.emplace_back();
        for (const auto path : from[i].requests) one.emplace_back(from.paths()[path]);
    }
    return made;
}

// Nothing where it is an error.
std::optional<trace> read(const std::string &text, trace_format format) {
    std::istringstream in(text);
    replay::left_out not_taken;
    try {
        return replay::read_trace(in, "fuzz", format, std::chrono::seconds(15), not_taken);
    } catch (const replay::input_error &) { return {}; }
}

std::string written(const trace &from) {
    std::ostringstream out;
    replay::write_text(from, out);
    return out.str();
}

void check_trace(const trace &made) {
    ASSERT_GT(made.sequences(), 0U);
    for (std::size_t i = 0; i < made.sequences(); ++i) {
        ASSERT_FALSE(made[i].requests.empty());
        ASSERT_FALSE(made[i].start && made[i].start->count() < 0);
        for (const auto path : made[i].requests) ASSERT_TRUE(replay::is_request_path(made.paths()[path]));
    }
    const auto again = read(written(made), trace_format::text);
    ASSERT_TRUE(again);
    ASSERT_EQ(written(*again), written(made));
}

// Damages `text`, and looks at what becomes of it in each format.
void check_damaged(dice &random, std::string text) {
    damage(random, text);
    replay::guess_format(text);
    for (const auto format : {trace_format::text, trace_format::httperf, trace_format::combined})
        if (const auto made = read(text, format)) check_trace(*made);
}

TEST(fuzz_trace, text_is_read_as_it_was_made) {
    run_rounds(rounds_by_default, [](dice &random) {
        const auto asked = any_sequences(random);
        std::string text;
        for (const auto &one : asked) {
            if (random.one_in(5)) text += random.of({"\n", "# /comment @1\n", "#\n"});
            if (random.one_in(2))
                text += "@" + std::to_string(random.below(1000)) + random.of({"", ".5", ".000000001"}) + " ";
            for (const auto &path : one) text += path + " ";
            text.back() = '\n';
        }
        const auto made = read(text, trace_format::text);
        ASSERT_TRUE(made);
        ASSERT_EQ(sequences_of(*made), asked);
        check_trace(*made);
        check_damaged(random, text);
    });
}

TEST(fuzz_trace, httperf_is_read_as_it_was_made) {
    run_rounds(rounds_by_default, [](dice &random) {
        const auto asked = any_sequences(random);
        std::string text;
        for (const auto &one : asked) {
            for (const auto &path : one) {
                if (random.one_in(6))
                    text += random.of({"# comment\n", "/x method=POST contents='a \\' b\"'\n", "\t/y method=HEAD\n"});
                text += (random.one_in(2) ? random.of({" ", "\t", "    "}) : "") + path;
                if (random.one_in(3))
                    text += random.of({" think=2.5", "\tmethod=GET", " contents=\"a b\\\n/c\"", "  "});
                text += '\n';
            }
            text += random.of({"\n", " \t\n", "\n\n"});
        }
        const auto made = read(text, trace_format::httperf);
        ASSERT_TRUE(made);
        ASSERT_EQ(sequences_of(*made), asked);
        check_damaged(random, text);
        std::ostringstream out;
        replay::left_out not_written;
        replay::write_trace(*made, out, trace_format::httperf, not_written);
        ASSERT_EQ(sequences_of(read(out.str(), trace_format::httperf).value()), asked);
    });
}

TEST(fuzz_trace, a_log_is_read_as_it_was_made) {
    run_rounds(rounds_by_default, [](dice &random) {
        // A client each, in order, a second apart: what goes in comes out.
        const auto asked = any_sequences(random);
        std::string text;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            for (const auto &path : asked[i]) {
                if (random.one_in(5)) text += random.of({"damaged\n", "\n", "h - - [x] \"GET / HTTP/1.1\" 200 5\n"});
                std::string escaped;
                for (const char c : path) escaped += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
                text += "host" + std::to_string(i) + random.of({" - - ", " - some user "}) + "[23/Nov/2026:09:05:0" +
                        std::to_string(i) + " +0100] \"GET " + escaped + random.of({" HTTP/1.1", " HTTP/1.0"}) + "\" " +
                        random.of({"200", "206", "304"}) + random.of({" 5", " -", R"( 5 "-" "agent")"}) + "\n";
            }
        }
        const auto made = read(text, trace_format::combined);
        ASSERT_TRUE(made);
        auto expected = asked;
        for (auto &one : expected)
            for (auto &path : one)
                for (auto at = path.find("\xc3\xa4"); at != std::string::npos; at = path.find("\xc3\xa4"))
                    path.replace(at, 2, "%C3%A4");
        ASSERT_EQ(sequences_of(*made), expected);
        check_damaged(random, text);
    });
}

TEST(fuzz_trace, texts_without_an_end_in_memory_are_not_read_beyond_it) {
    run_rounds(rounds_by_default, [](dice &random) {
        std::string text =
            random.of({"h - - [23/Nov/2026:09:05:01 +0100] \"GET /a HTTP/1.1\" 200 5", "/a%20b?c", "12.5", "/%"});
        damage(random, text);
        const auto exact = std::make_unique<char[]>(text.size());
        std::ranges::copy(text, exact.get());
        const std::string_view view(exact.get(), text.size());
        if (const auto entry = replay::parse_log_line(view); entry && entry->method == "GET") {
            ASSERT_TRUE(replay::is_request_path(entry->path));
        }
        if (const auto path = replay::decode_path(view)) { ASSERT_LE(path->size(), text.size()); }
        if (const auto time = replay::parse_seconds(view)) {
            ASSERT_EQ(replay::parse_seconds(replay::format_seconds(*time)), time);
        }
    });
}

TEST(fuzz_trace, lists_and_parameters_are_read_or_refused) {
    run_rounds(rounds_by_default, [](dice &random) {
        std::string list = "5 /a\n18446744073709551615 /b c\n# x\n\n0 /d\n";
        damage(random, list);
        std::istringstream in(list);
        try {
            const auto files = replay::read_file_list(in, "fuzz");
            std::ostringstream out;
            replay::write_file_list(files, out);
            std::istringstream again(out.str());
            ASSERT_EQ(replay::read_file_list(again, "fuzz"), files);
        } catch (const replay::input_error &) {}
        std::string json = to_json(replay::named_workload("rice")).dump();
        damage(random, json);
        try {
            const auto made = replay::parameters_from_json(nlohmann::json::parse(json));
            for (const auto &one : replay::parameter_table()) {
                ASSERT_TRUE(made.*one.member >= std::min(one.least, 0.0) && made.*one.member <= one.most) << one.name;
            }
        } catch (const nlohmann::json::exception &) {
        } catch (const std::invalid_argument &) {}
    });
}

} // namespace
