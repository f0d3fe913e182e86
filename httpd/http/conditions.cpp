#include "http/conditions.hpp"

#include "http/date.hpp"

#include <algorithm>
#include <optional>

namespace httpd {
namespace {

enum class comparison { strong, weak }; // RFC 9110 section 8.8.3.2; our own tags are strong ones

void skip(std::string_view &text, std::string_view any_of) {
    text.remove_prefix(std::min(text.find_first_not_of(any_of), text.size()));
}

// Whether a list of entity tags, or "*", has our tag. What follows something malformed is not looked at.
bool matches(std::string_view list, std::string_view tag, comparison how) {
    if (list == "*") return true;
    for (;;) {
        skip(list, " \t,");
        const bool is_weak = list.starts_with("W/");
        if (is_weak) list.remove_prefix(2);
        const auto end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
        if (end == std::string_view::npos) return false;
        if (list.substr(0, end + 1) == tag && (!is_weak || how == comparison::weak)) return true;
        list.remove_prefix(end + 1);
        skip(list, " \t");
        if (!list.starts_with(',')) return false;
    }
}

class judge {
public:
    judge(const request &asked, const representation &file, std::time_t now) : asked_(asked), file_(file), now_(now) {}

    bool precondition_failed() const {
        if (has(condition::if_match)) return !any_matches(condition::if_match, comparison::strong);
        const auto date = date_of(condition::if_unmodified_since);
        return date && file_.last_modified > *date;
    }

    bool not_modified() const {
        if (has(condition::if_none_match)) return any_matches(condition::if_none_match, comparison::weak);
        const auto date = date_of(condition::if_modified_since);
        return date && file_.last_modified <= *date;
    }

    range_choice range() const {
        const auto field = only(condition::range);
        if (!field || asked_.is_head || !is_still_that_file()) return {};
        return choose_range(*field, file_.length);
    }

private:
    bool has(condition name) const {
        return std::any_of(asked_.conditions.begin(), asked_.conditions.end(),
                           [name](const auto &field) { return field.name == name; });
    }

    bool any_matches(condition name, comparison how) const {
        return std::any_of(asked_.conditions.begin(), asked_.conditions.end(), [&](const auto &field) {
            return field.name == name && matches(field.value, file_.tag.text(), how);
        });
    }

    std::optional<std::string_view> only(condition name) const {
        std::optional<std::string_view> found;
        for (const auto &field : asked_.conditions) {
            if (field.name != name) continue;
            if (found) return std::nullopt;
            found = field.value;
        }
        return found;
    }

    std::optional<std::time_t> date_of(condition name) const {
        const auto field = only(name);
        return field ? parse_http_date(*field, now_) : std::nullopt;
    }

    // If-Range: a tag, compared strongly, or a date.
    bool is_still_that_file() const {
        if (!has(condition::if_range)) return true;
        const auto field = only(condition::if_range);
        return field && (*field == file_.tag.text() || date_of(condition::if_range) == file_.last_modified);
    }

    const request &asked_;
    const representation &file_;
    std::time_t now_;
};

} // namespace

judgement judge_conditions(const request &asked, const representation &file, std::time_t now) {
    const judgement whole{.code = status::ok, .part = {.first = 0, .length = file.length}};
    if (asked.conditions.empty()) return whole;
    const judge given(asked, file, now);
    if (given.precondition_failed()) return {.code = status::precondition_failed};
    if (given.not_modified()) return {.code = status::not_modified};
    const auto range = given.range();
    if (range.what == range_choice::kind::none) return {.code = status::range_not_satisfiable};
    if (range.what == range_choice::kind::part) return {.code = status::partial_content, .part = range.part};
    return whole;
}

} // namespace httpd
