#include "http/request.hpp"

#include "http/target.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace httpd {
namespace {

namespace beast = boost::beast;
using error_code = beast::error_code;

std::optional<condition> condition_of(beast::http::field name) {
    using field = beast::http::field;
    switch (name) {
    case field::if_match: return condition::if_match;
    case field::if_none_match: return condition::if_none_match;
    case field::if_modified_since: return condition::if_modified_since;
    case field::if_unmodified_since: return condition::if_unmodified_since;
    case field::if_range: return condition::if_range;
    case field::range: return condition::range;
    default: return std::nullopt;
    }
}

bool is_part_of(std::string_view part, std::string_view whole) {
    const std::less_equal<> in_order;
    return in_order(whole.data(), part.data()) && in_order(part.data() + part.size(), whole.data() + whole.size());
}

// Beast calls these functions as it goes through the head. Its views point into the head, but for a value that was folded
// over several lines: that is refused, as RFC 9112 section 5.2 prefers.
class head_reader final : public beast::http::basic_parser<true> {
public:
    explicit head_reader(std::string_view whole) : head(whole) {}

    std::string_view head;
    beast::http::verb method = beast::http::verb::unknown;
    std::string_view target;
    std::vector<condition_field> conditions;
    std::string_view referer;
    std::string_view user_agent;
    int version = 0;
    int hosts = 0;
    bool has_transfer_encoding = false;
    bool expects_continue = false;
    bool expects_other = false;

private:
    void on_request_impl(beast::http::verb verb, beast::string_view /*name*/, beast::string_view uri, int http_version,
                         error_code &error) override {
        method = verb;
        target = {uri.data(), uri.size()};
        version = http_version;
        error = {};
    }

    void on_field_impl(beast::http::field field, beast::string_view /*name*/, beast::string_view text,
                       error_code &error) override {
        const std::string_view value(text.data(), text.size());
        error = {};
        if (!is_part_of(value, head)) error = beast::http::error::bad_value;
        else keep(field, value);
    }

    void keep(beast::http::field field, std::string_view value) {
        switch (field) {
        case beast::http::field::host: ++hosts; break;
        case beast::http::field::transfer_encoding: has_transfer_encoding = true; break;
        case beast::http::field::expect:
            (beast::iequals({value.data(), value.size()}, "100-continue") ? expects_continue : expects_other) = true;
            break;
        case beast::http::field::referer: referer = value; break;
        case beast::http::field::user_agent: user_agent = value; break;
        default:
            const auto name = condition_of(field);
            if (name && conditions.size() <= conditions_max) conditions.push_back({*name, value});
        }
    }

    void on_header_impl(error_code &error) override { error = {}; }
    void on_finish_impl(error_code &error) override { error = {}; }

    // Bodies are not given to the parser: these are never called.
    void on_response_impl(int, beast::string_view, int, error_code &error) override { error = {}; }
    void on_body_init_impl(const boost::optional<std::uint64_t> &, error_code &error) override { error = {}; }
    std::size_t on_body_impl(beast::string_view, error_code &error) override {
        error = {};
        return 0;
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code &error) override { error = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view, error_code &error) override {
        error = {};
        return 0;
    }
};

// Whether the request line ends in " HTTP/1.1", with any digits: then it is the version that is wrong, not the syntax.
bool names_a_version(std::string_view head) {
    const auto line = head.substr(0, head.find("\r\n"));
    if (line.size() < 9 || line.size() == head.size()) return false;
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto version = line.substr(line.size() - 9);
    return version.substr(0, 6) == " HTTP/" && is_digit(version[6]) && version[7] == '.' && is_digit(version[8]) &&
           line.find('\n') == std::string_view::npos;
}

status status_of(error_code error, std::string_view head) {
    using parse_error = beast::http::error;
    if (error == parse_error::body_limit) return status::content_too_large;
    if (error == parse_error::bad_version && names_a_version(head)) return status::http_version_not_supported;
    if (error == parse_error::header_limit) return status::request_header_fields_too_large;
    return status::bad_request;
}

status judge_method(beast::http::verb method) {
    using beast::http::verb;
    if (method == verb::get || method == verb::head) return status::ok;
    return method == verb::unknown ? status::not_implemented : status::method_not_allowed;
}

std::string_view first_line(std::string_view head) { return head.substr(0, head.find_first_of("\r\n")); }

// Why the request cannot be answered with a file, nor the next one be found; or ok.
status refusal_of(const head_reader &reader, error_code error, bool is_whole) {
    if (error) return status_of(error, reader.head);
    if (!is_whole) return status::bad_request;
    if (reader.version == 11 ? reader.hosts != 1 : reader.hosts > 1) return status::bad_request; // RFC 9112 section 3.2
    if (reader.has_transfer_encoding) // with a Content-Length beside it: an attempt to smuggle a request
        return reader.content_length() ? status::bad_request : status::not_implemented;
    if (reader.conditions.size() > conditions_max) return status::request_header_fields_too_large;
    return reader.expects_other ? status::expectation_failed : status::ok;
}

} // namespace

void request::keep_head() {
    auto copy = std::make_unique_for_overwrite<char[]>(head.size());
    std::copy(head.begin(), head.end(), copy.get());
    const auto move = [&](std::string_view &part) {
        if (!part.empty()) part = {copy.get() + (part.data() - head.data()), part.size()};
    };
    for (auto *part : {&line, &referer, &user_agent}) move(*part);
    for (auto &one : conditions) move(one.value);
    head = {copy.get(), head.size()};
    head_storage = std::move(copy);
}

request refused_request(status why, std::string_view head) {
    request answer;
    answer.head = head;
    answer.line = first_line(head);
    answer.verdict = why;
    answer.framing_lost = true;
    return answer;
}

request read_request(std::string_view head, std::uint64_t body_limit) {
    head_reader reader(head);
    reader.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(head.size(), UINT32_MAX)));
    reader.body_limit(body_limit);
    error_code error;
    const auto used = reader.put(boost::asio::const_buffer(head.data(), head.size()), error);

    const auto refusal = refusal_of(reader, error, reader.is_header_done() && used == head.size());
    auto answer = refused_request(refusal, head);
    answer.referer = reader.referer;
    answer.user_agent = reader.user_agent;
    if (refusal != status::ok) return answer;

    answer.is_head = reader.method == beast::http::verb::head;
    answer.keep_alive = reader.keep_alive();
    answer.is_http_1_0 = reader.version == 10;
    answer.body_length = reader.content_length().value_or(0);
    answer.conditions = std::move(reader.conditions);
    answer.verdict = judge_method(reader.method);
    if (answer.verdict == status::ok) answer.verdict = decode_target(reader.target, answer.path);
    // The answer comes instead of "100 Continue": whether the body still follows is the client's choice, so nobody knows
    // where the next request begins (RFC 9110 section 10.1.1).
    answer.framing_lost = reader.expects_continue && !answer.is_http_1_0 && answer.body_length > 0;
    return answer;
}

} // namespace httpd
