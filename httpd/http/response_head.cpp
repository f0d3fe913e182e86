#include "http/response_head.hpp"

#include "http/date.hpp"

#include <array>
#include <charconv>
#include <initializer_list>

namespace httpd {
namespace {

// A number as text. Plain appends, for this is done for every response, and parsing a format costs more than the rest.
class decimal {
public:
    explicit decimal(std::uint64_t number)
        : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
    operator std::string_view() const { return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())}; }

private:
    std::array<char, 20> digits_; // NOLINT(cppcoreguidelines-pro-type-member-init): up to end_ it is
    char *end_;
};

void append(std::string &text, std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) text.append(part);
}

void append_start(std::string &head, status code, persistence connection, std::string_view date) {
    append(head, {"HTTP/1.1 ", decimal(static_cast<std::uint64_t>(code_of(code))), " ", reason_of(code),
                  "\r\nServer: laio-httpd\r\nDate: ", date, "\r\n"});
    if (connection == persistence::close) head += "Connection: close\r\n";
    if (connection == persistence::keep_announce) head += "Connection: keep-alive\r\n";
}

} // namespace

file_fields format_file_fields(const representation &file) {
    file_fields fields;
    auto &text = fields.text;
    text.reserve(256);
    append(text, {"Content-Length: ", decimal(file.length), "\r\n"});
    fields.part_at = text.size();
    append(text, {"Content-Type: ", file.media_type, "\r\nLast-Modified: ", http_date(file.last_modified),
                  "\r\nAccept-Ranges: bytes\r\n"});
    fields.tag_at = text.size();
    append(text, {"ETag: ", file.tag.text(), "\r\n\r\n"});
    fields.length = file.length;
    return fields;
}

void format_head(std::string &head, const judgement &outcome, const file_fields &file, persistence connection,
                 std::string_view date) {
    append_start(head, outcome.code, connection, date);
    const std::string_view fields = file.text;
    const auto [first, length] = outcome.part;
    switch (outcome.code) {
    case status::not_modified: head += fields.substr(file.tag_at); break;
    case status::partial_content:
        append(head,
               {"Content-Range: bytes ", decimal(first), "-", decimal(first + length - 1), "/", decimal(file.length),
                "\r\nContent-Length: ", decimal(length), "\r\n", fields.substr(file.part_at)});
        break;
    default: head += fields;
    }
}

void format_head(std::string &head, const answer_head &answer, std::string_view date) {
    append_start(head, answer.code, answer.connection, date);
    append(head, {"Content-Type: text/plain\r\nContent-Length: ", decimal(body_of(answer.code).size()), "\r\n"});
    if (!answer.location.empty()) append(head, {"Location: ", answer.location, "\r\n"});
    if (answer.code == status::method_not_allowed) head += "Allow: GET, HEAD\r\n";
    if (answer.code == status::service_unavailable) head += "Retry-After: 1\r\n";
    if (answer.code == status::range_not_satisfiable)
        append(head, {"Content-Range: bytes */", decimal(answer.file_length), "\r\n"});
    head += "\r\n";
}

std::string body_of(status code) {
    std::string text;
    append(text, {decimal(static_cast<std::uint64_t>(code_of(code))), " ", reason_of(code), "\n"});
    return text;
}

} // namespace httpd
