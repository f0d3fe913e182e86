#include "http/request.hpp"

#include "http/target.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>

namespace httpd {
namespace {

namespace beast = boost::beast;
using error_code = beast::error_code;

// Beast calls these functions as it goes through the head. Its views point into the head.
class head_reader final : public beast::http::basic_parser<true> {
public:
    beast::http::verb method = beast::http::verb::unknown;
    std::string target;
    int version = 0;
    int hosts = 0;
    bool has_transfer_encoding = false;
    bool expects_continue = false;
    bool expects_other = false;

private:
    void on_request_impl(beast::http::verb verb, beast::string_view /*name*/, beast::string_view uri, int http_version,
                         error_code &error) override {
        method = verb;
        target.assign(uri.data(), uri.size());
        version = http_version;
        error = {};
    }

    void on_field_impl(beast::http::field field, beast::string_view /*name*/, beast::string_view value,
                       error_code &error) override {
        error = {};
        if (field == beast::http::field::host) ++hosts;
        if (field == beast::http::field::transfer_encoding) has_transfer_encoding = true;
        if (field == beast::http::field::expect)
            (beast::iequals(value, "100-continue") ? expects_continue : expects_other) = true;
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

} // namespace

request refused_request(status why) {
    request answer;
    answer.verdict = why;
    answer.framing_lost = true;
    return answer;
}

request read_request(std::string_view head, std::uint64_t body_limit) {
    head_reader reader;
    reader.header_limit(static_cast<std::uint32_t>(std::min<std::size_t>(head.size(), UINT32_MAX)));
    reader.body_limit(body_limit);

    error_code error;
    const auto used = reader.put(boost::asio::const_buffer(head.data(), head.size()), error);
    if (error) return refused_request(status_of(error, head));
    if (!reader.is_header_done() || used != head.size()) return refused_request(status::bad_request);
    if (reader.version == 11 ? reader.hosts != 1 : reader.hosts > 1)
        return refused_request(status::bad_request); // RFC 9112 section 3.2
    if (reader.has_transfer_encoding)                // with a Content-Length beside it: an attempt to smuggle a request
        return refused_request(reader.content_length() ? status::bad_request : status::not_implemented);
    if (reader.expects_other) return refused_request(status::expectation_failed);

    request answer;
    answer.is_head = reader.method == beast::http::verb::head;
    answer.keep_alive = reader.keep_alive();
    answer.is_http_1_0 = reader.version == 10;
    answer.body_length = reader.content_length().value_or(0);
    answer.verdict = judge_method(reader.method);
    if (answer.verdict == status::ok) answer.verdict = decode_target(reader.target, answer.path);
    // The answer comes instead of "100 Continue": whether the body still follows is the client's choice, so nobody knows
    // where the next request begins (RFC 9110 section 10.1.1).
    answer.framing_lost = reader.expects_continue && !answer.is_http_1_0 && answer.body_length > 0;
    return answer;
}

} // namespace httpd
