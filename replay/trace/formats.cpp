#include "trace/formats.hpp"

#include "trace/httperf_format.hpp"
#include "trace/input_error.hpp"
#include "trace/log_line.hpp"
#include "trace/text_format.hpp"

#include <array>
#include <utility>

namespace replay {
namespace {

constexpr std::array<std::pair<std::string_view, trace_format>, 4> names = {{{"text", trace_format::text},
                                                                             {"httperf", trace_format::httperf},
                                                                             {"common", trace_format::common},
                                                                             {"combined", trace_format::combined}}};

// What one line can only be in.
std::optional<trace_format> guess_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('@')) return trace_format::text;
    if (parse_log_line(line)) return trace_format::combined;
    const auto word = line.find_first_not_of(" \t");
    if (word == std::string_view::npos || line[word] != '/') return {};
    for (const std::string_view parameter : {" method=", " think=", " contents="})
        if (line.find(parameter) != std::string_view::npos) return trace_format::httperf;
    if (word > 0) return trace_format::httperf;
    return line.find(" /") != std::string_view::npos ? std::optional(trace_format::text) : std::nullopt;
}

} // namespace

std::optional<trace_format> format_named(std::string_view name) {
    for (const auto &[known, format] : names)
        if (known == name) return format;
    return {};
}

std::string_view name_of(trace_format format) {
    for (const auto &[name, known] : names)
        if (known == format) return name;
    return "";
}

std::optional<trace_format> guess_format(std::string_view beginning) {
    while (!beginning.empty()) {
        const auto line = beginning.substr(0, beginning.find('\n'));
        if (!line.starts_with('#'))
            if (const auto guess = guess_line(line)) return guess;
        beginning.remove_prefix(std::min(line.size() + 1, beginning.size()));
    }
    return {};
}

trace read_trace(std::istream &in, const std::string &name, trace_format format, std::chrono::seconds gap,
                 left_out &not_taken) {
    switch (format) {
    case trace_format::text: return read_text(in, name);
    case trace_format::httperf: return read_httperf(in, name, not_taken);
    case trace_format::common:
    case trace_format::combined: return read_access_log(in, name, gap, not_taken);
    }
    throw input_error("no such format");
}

void write_trace(const trace &from, std::ostream &out, trace_format format, left_out &not_written) {
    if (format == trace_format::text) write_text(from, out);
    else if (format == trace_format::httperf) write_httperf(from, out, not_written);
    else throw input_error("access logs cannot be written: a trace has neither clients nor statuses");
}

} // namespace replay
