#include "trace/left_out.hpp"

#include <fmt/format.h>

namespace replay {

void left_out::add_broken_line(std::size_t number) {
    if (broken_lines++ == 0) first_broken_line = number;
}

std::vector<std::string> left_out::phrases() const {
    std::vector<std::string> said;
    const auto say = [&](std::uint64_t count, const char *one, const char *more) {
        if (count > 0) said.push_back(fmt::format("{} {}", count, count == 1 ? one : more));
    };
    say(other_methods, "request that is not GET", "requests that are not GET");
    say(other_statuses, "request answered with neither 2xx nor 304", "requests answered with neither 2xx nor 304");
    say(bodies, "body of a GET", "bodies of GETs");
    say(think_times, "think time", "think times");
    say(starts, "start of a sequence", "starts of sequences");
    if (broken_lines > 0)
        said.push_back(fmt::format("{} broken line{} ({}{})", broken_lines, broken_lines == 1 ? "" : "s",
                                   broken_lines == 1 ? "line " : "the first is line ", first_broken_line));
    return said;
}

} // namespace replay
