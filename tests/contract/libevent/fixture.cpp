// See fixture.hpp. Here is also the list of what the tests run on.
#include "fixture.hpp"

#include <cstring>
#include <memory>
#include <ostream>
#include <string>

namespace laio::test {

void background_call::complete(void *arg, long return_value, int error) {
    auto &self = *static_cast<background_call *>(arg);
    ++self.calls;
    self.return_value = return_value;
    self.error = error;
    const auto then = self.then; // a copy, because it may end the life of the structure
    if (then) then();
}

testing::AssertionResult background_call::was_called_once(long expected_value, int expected_error) const {
    if (calls == 1 && return_value == expected_value && error == expected_error) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "called " << calls << " times, last with " << return_value << " and error "
                                       << error << "; expected " << expected_value << " and " << expected_error;
}

watch::watch(event_base *base, int fd, std::function<void()> function)
    : event_{event_new(
          base, fd, EV_READ | EV_PERSIST,
          [](evutil_socket_t, short, void *self) { static_cast<watch *>(self)->function_(); }, this)},
      function_{std::move(function)} {
    EXPECT_EQ(event_add(event_, nullptr), 0);
}

std::ostream &operator<<(std::ostream &out, const base_kind &kind) { return out << kind.name; }

void libevent_base::SetUp() {
    base = make_base();
    if (base == nullptr) GTEST_SKIP() << "this libevent has no method " << GetParam().method;
    laio_options options{};
    options.size = sizeof options;
    options.flags = GetParam().laio_flags;
    ASSERT_EQ(laio_init(&options), 0);
    ASSERT_EQ(laio_event_attach(base), 0);
}

void libevent_base::TearDown() {
    if (base == nullptr) return;
    EXPECT_EQ(laio_event_detach(base), 0);
    event_base_free(base);
    EXPECT_EQ(laio_fini(), 0);
}

event_base *libevent_base::make_base() {
    event_config *config = event_config_new();
    for (const char **method = event_get_supported_methods(); *method != nullptr; ++method)
        if (std::strcmp(*method, GetParam().method) != 0) event_config_avoid_method(config, *method);
    event_config_set_flag(config, GetParam().flags | EVENT_BASE_FLAG_IGNORE_ENV);
    event_base *made = event_base_new_with_config(config);
    event_config_free(config);
    return made;
}

void libevent_base::soon(const std::function<void()> &function) {
    auto call = [](evutil_socket_t, short, void *arg) {
        const std::unique_ptr<std::function<void()>> owned(static_cast<std::function<void()> *>(arg));
        (*owned)();
    };
    ASSERT_EQ(event_base_once(base, -1, EV_TIMEOUT, call, new std::function<void()>(function), &at_once), 0);
}

void libevent_base::begin_complete(std::span<waiting_read> reads, const std::function<void()> &then) {
    for (waiting_read &read : reads) {
        read.then = then;
        read.begin_and_add(base);
        read.put();
    }
}

// EINTR: also from a ring that an earlier test's laio_fini() has closed.
laio_completion libevent_base::fetch() {
    laio_completion completion{};
    int count = -1;
    do count = laio_poll(&completion, 1, nullptr);
    while (count == -1 && errno == EINTR);
    EXPECT_EQ(count, 1) << std::strerror(errno);
    return completion;
}

void libevent_base::fetch_the_rest() {
    while (laio_outstanding() > 0 && !HasFailure()) EXPECT_EQ(fetch().laio_data, nullptr);
}

INSTANTIATE_TEST_SUITE_P(methods, libevent_base,
                         testing::Values(base_kind{"epoll", "epoll"},
                                         base_kind{"epoll_changelist", "epoll", EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST},
                                         base_kind{"epoll_sockets_in_ring", "epoll", 0, LAIO_SOCKETS_IN_RING},
                                         base_kind{"poll", "poll"}, base_kind{"select", "select"}),
                         [](const auto &kind) { return std::string(kind.param.name); });

} // namespace laio::test
