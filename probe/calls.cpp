#include "calls.hpp"

#include "calls/table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace probe {
namespace {

using json = nlohmann::ordered_json;

struct numbered {
    long number;
    const laio::row *row;
    bool has_activations;
};

std::vector<numbered> select(const selection &wanted) {
    const std::string &name = wanted.name;
    std::vector<numbered> rows;
    const laio::numbering *numbers = laio::find_numbering(wanted.architecture.c_str());
    for (long i = 0; numbers != nullptr && i < static_cast<long>(numbers->size); ++i) {
        const laio::row *row = numbers->find(i);
        if (row != nullptr && (name.empty() || name == row->name)) rows.push_back({i, row, wanted.has_activations});
    }
    return rows;
}

// As laio takes it here: without activations the call is queued.
laio::route route_now(const numbered &one) {
    const laio::route way = one.row->way;
    return way == laio::route::activation && !one.has_activations ? laio::route::queued : way;
}

struct argument_kind {
    char letter;
    const char *name;      // in JSON
    const char *reference; // in a line of text; nullptr: it is a plain number
};
constexpr argument_kind kinds[] = {
    {'f', "descriptor", nullptr},
    {'d', "directory", nullptr},
    {'-', "value", nullptr},
    {'p', "path", "path"},
    {'i', "memory_read", "in"},
    {'o', "memory_written", "out"},
    {'b', "memory_read_and_written", "in+out"},
    {'v', "iovec", "iovec"},
    {'m', "msghdr", "msghdr"},
    {'t', "time", "time"},
};

const argument_kind &kind_of(char letter) {
    return *std::find_if(std::begin(kinds), std::end(kinds) - 1, [&](const auto &k) { return k.letter == letter; });
}

// "a1 out, a2 in"
std::string references(const laio::row &row) {
    std::string text;
    for (std::size_t i = 0; i < std::strlen(row.arguments); ++i) {
        const argument_kind &kind = kind_of(row.arguments[i]);
        if (kind.reference != nullptr) text += fmt::format("{}a{} {}", text.empty() ? "" : ", ", i, kind.reference);
    }
    return text;
}

std::string or_dash(const std::string &word) { return word.empty() || word == "none" ? "-" : word; }

using cells = std::array<std::string, 8>;

cells cells_of(const numbered &one) {
    const laio::row &row = *one.row;
    const int descriptor = row.descriptor_argument();
    return {std::to_string(one.number),
            row.name,
            name_of(row.way),
            name_of(route_now(one)),
            or_dash(name_of(row.attempt)),
            or_dash(name_of(row.ring)),
            descriptor < 0 ? "-" : fmt::format("a{}", descriptor),
            or_dash(references(row))};
}

json as_json(const numbered &one) {
    const laio::row &row = *one.row;
    const auto or_null = [](const std::string &word) { return word == "none" ? json(nullptr) : json(word); };
    json object;
    object["number"] = one.number;
    object["name"] = row.name;
    object["route"] = name_of(row.way);
    object["route_now"] = name_of(route_now(one));
    object["form"] = or_null(name_of(row.attempt));
    object["ring_operation"] = or_null(name_of(row.ring));
    const int descriptor = row.descriptor_argument();
    object["descriptor_argument"] = descriptor < 0 ? json(nullptr) : json(descriptor);
    object["arguments"] = json::array();
    object["by_reference"] = json::array();
    for (std::size_t i = 0; i < std::strlen(row.arguments); ++i) {
        const argument_kind &kind = kind_of(row.arguments[i]);
        object["arguments"].push_back(kind.name);
        if (kind.reference != nullptr) object["by_reference"].push_back(i);
    }
    return object;
}

} // namespace

std::string calls_as_text(const selection &wanted) {
    std::vector<cells> lines{{"number", "name", "route", "here", "form", "io_uring", "descriptor", "by reference"}};
    for (const numbered &one : select(wanted)) lines.push_back(cells_of(one));
    if (lines.size() == 1) return {};
    std::array<std::size_t, std::tuple_size_v<cells>> widths{};
    for (const cells &each : lines)
        for (std::size_t i = 0; i + 1 < each.size(); ++i) widths[i] = std::max(widths[i], each[i].size());
    std::string text;
    for (const cells &each : lines) {
        text += fmt::format("{:>{}}", each[0], widths[0]);
        for (std::size_t i = 1; i < each.size(); ++i) text += fmt::format("  {:<{}}", each[i], widths[i]);
        text += '\n';
    }
    return text;
}

std::string calls_as_json(const selection &wanted) {
    json rows = json::array();
    for (const numbered &one : select(wanted)) rows.push_back(as_json(one));
    if (rows.empty()) return {};
    return (wanted.name.empty() ? rows : rows[0]).dump(2) + "\n";
}

} // namespace probe
