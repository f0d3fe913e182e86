// The responses on a connection, out of its bytes however they are cut: head, length and end of each. Beast parses heads.
// Of a body whose length the head says, the bytes need not be read at all: whoever reads the socket may drop them
// (droppable(), dropped()). Interim responses (1xx) are passed over. Pure: no system calls. Memory: the part of a head that
// is here, 64 KB at most.
// Beast's bodies lost: they want the bytes.
#pragma once

#include "client/chunked_body.hpp"
#include "content.hpp"
#include "report/failure.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace replay {

class response_reader {
public:
    static constexpr std::uint32_t head_bytes_max = 65536;
    static constexpr int interim_responses_max = 16;

    // The next response. With `expected`, its body is compared, and nothing of it is droppable.
    void start(std::optional<content> expected = {});

    void take(std::string_view bytes);
    std::uint64_t droppable() const { return expected_ ? 0 : left_; }
    void dropped(std::uint64_t bytes); // so many came and were not looked at: more than droppable() is an error
    void peer_closed();

    bool begun() const { return begun_; }
    bool ended() const { return ended_; }
    failure verdict() const; // of one that ended
    bool compared() const { return expected_.has_value(); }
    int status() const { return status_; } // 0 while there is no head
    bool is_good() const { return status_ / 100 == 2; }
    std::uint64_t body_bytes() const { return body_bytes_; }
    bool connection_persists() const { return persists_; }

private:
    // Keeps nothing: Beast itself remembers what concerns the framing.
    class head_parser final : public boost::beast::http::basic_parser<false> {
        using error_code = boost::beast::error_code;
        using string_view = boost::beast::string_view;
        using length = boost::optional<std::uint64_t>;

    public:
        head_parser();
        int status = 0;

    private:
        void on_request_impl(boost::beast::http::verb /*verb*/, string_view /*name*/, string_view /*target*/,
                             int /*version*/, error_code & /*error*/) override {}
        void on_response_impl(int code, string_view /*reason*/, int /*version*/, error_code & /*error*/) override {
            status = code;
        }
        void on_field_impl(boost::beast::http::field /*name*/, string_view /*text*/, string_view /*value*/,
                           error_code & /*error*/) override {}
        void on_header_impl(error_code & /*error*/) override {}
        void on_body_init_impl(const length & /*length*/, error_code & /*error*/) override {}
        std::size_t on_body_impl(string_view /*body*/, error_code & /*error*/) override { return 0; }
        void on_chunk_header_impl(std::uint64_t /*size*/, string_view /*extensions*/, error_code & /*error*/) override {
        }
        std::size_t on_chunk_body_impl(std::uint64_t /*left*/, string_view /*body*/, error_code & /*error*/) override {
            return 0;
        }
        void on_finish_impl(error_code & /*error*/) override {}
    };

    enum class framing { head, length, chunks, to_close };

    std::size_t consume(std::string_view bytes);
    std::size_t read_head(std::string_view bytes);
    std::size_t read_chunks(std::string_view bytes);
    std::size_t read_bytes(std::string_view bytes);
    void end_head();
    void take_body(std::string_view bytes);
    void end(failure why);

    std::optional<head_parser> parser_;
    std::optional<content> expected_;
    std::string pending_; // of a head: the parser wants to see it again, with more
    framing framing_ = framing::head;
    chunked_body chunks_;
    std::uint64_t left_ = 0; // of a body of known length
    std::uint64_t body_bytes_ = 0;
    int status_ = 0, interim_ = 0;
    bool begun_ = false, ended_ = false, persists_ = false, matches_ = true;
    failure why_ = failure::none;
};

} // namespace replay
