// A listener and its clients: connect(2) and accept(2) in either order, a few bytes each way, close(2), all through the library.
#include "stress/actor.hpp"

#include <deque>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace laio::test {
namespace {

class connections final : public actor {
public:
    explicit connections(dice &random) : random_{&random} {
        const signals_held held;
        listener_ = listen_tcp(port_);
        address_.sin_family = AF_INET;
        address_.sin_port = htons(port_);
        address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }

    void act() override {
        visit &one = all_[random_->below(all_.size())];
        if (!one.call.complete) return;
        go_on(one);
    }
    void end() override {
        is_over_ = true;
        for (visit &one : all_)
            if (one.now == stage_of::accepting) cancel_if_waiting(&one.call);
        for (bool is_busy = true; is_busy;) {
            is_busy = false;
            for (visit &one : all_) {
                if (one.call.complete && one.now != stage_of::away) go_on(one);
                is_busy = is_busy || one.now != stage_of::away;
            }
            if (is_busy) collect(10);
        }
    }
    [[nodiscard]] bool makes_descriptors() const override { return true; }

private:
    enum class stage_of : std::uint8_t { away, connecting, accepting, sending, receiving, closing };
    static constexpr std::size_t message_max = 3000;

    // The server takes whom it is given; a client says which one it is.
    struct visit {
        stage_of now = stage_of::away;
        bool is_server = false;
        descriptor end;
        call_record call{.complete = true};
        std::array<char, message_max> bytes{};
    };

    template <class... argument> static void begin_stage(visit &one, stage_of next, long number, argument... values) {
        one.now = next;
        begin_again_in(one.call, number, values...);
    }

    void set_out(visit &one) {
        if (is_over_) return;
        // As many clients as there are servers: each of them meets somebody.
        one.is_server = servers_ <= clients_;
        ++(one.is_server ? servers_ : clients_);
        if (one.is_server)
            return begin_stage(one, stage_of::accepting, SYS_accept4, listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        one.end = descriptor{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        one.now = stage_of::connecting;
        begin_in(one.call, SYS_connect, arguments{one.end.get(), as_argument(&address_), sizeof address_});
        if (one.call.is_direct() && one.call.result == outcome{-1, EINTR}) await_connection(one);
    }

    // A connect(2) that a signal ended goes on by itself.
    static void await_connection(visit &one) {
        sockaddr_in peer{};
        socklen_t length = sizeof peer;
        wait_until([&] { return getpeername(one.end.get(), reinterpret_cast<sockaddr *>(&peer), &length) == 0; });
        one.call.result = {0, 0};
    }

    void go_on(visit &one) {
        const outcome &result = one.call.result;
        switch (one.now) {
        case stage_of::away: return set_out(one);
        case stage_of::accepting:
            if (is_over_ && result == outcome{-1, ECANCELED}) {
                one.now = stage_of::away;
                return;
            }
            ASSERT_GE(result.value, 0) << result;
            one.end = descriptor{static_cast<int>(result.value)};
            return begin_stage(one, stage_of::receiving, SYS_recvfrom, one.end.get(), one.bytes.data(), message_max,
                               MSG_WAITALL, nullptr, nullptr);
        case stage_of::connecting: {
            ASSERT_EQ(result, (outcome{0, 0}));
            pattern(message_max, 5).copy(one.bytes.data(), message_max);
            return begin_stage(one, stage_of::sending, SYS_write, one.end.get(), one.bytes.data(), message_max);
        }
        case stage_of::receiving:
            if (result.value > 0 &&
                result.value < static_cast<long>(message_max)) { // ended by a signal, as a plain one
                ASSERT_EQ(read_all(one.end.get(), message_max - static_cast<std::size_t>(result.value)),
                          pattern(message_max, 5).substr(static_cast<std::size_t>(result.value)));
            } else ASSERT_EQ(result, (outcome{message_max, 0}));
            EXPECT_TRUE(
                std::string_view(one.bytes.data(), message_max).substr(0, static_cast<std::size_t>(result.value)) ==
                std::string_view(pattern(message_max, 5)).substr(0, static_cast<std::size_t>(result.value)));
            break;
        case stage_of::sending: ASSERT_EQ(result, (outcome{message_max, 0})); break;
        case stage_of::closing:
            EXPECT_EQ(result, (outcome{0, 0}));
            one.now = stage_of::away;
            return;
        }
        one.now = stage_of::closing;
        begin_in(one.call, SYS_close, arguments{one.end.release()});
    }

    dice *random_;
    std::uint16_t port_ = 0;
    descriptor listener_;
    sockaddr_in address_{};
    std::array<visit, 8> all_;
    unsigned servers_ = 0;
    unsigned clients_ = 0;
    bool is_over_ = false;
};

} // namespace

std::unique_ptr<actor> make_connections(dice &random) { return std::make_unique<connections>(random); }

} // namespace laio::test
