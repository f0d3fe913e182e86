// laio from C++20: laio.h with the two things that are easily got wrong in C done once and for all.
//
//  - Arguments. laio_syscall() takes "..." as syscall(2) does, where an int has no defined upper half: call() converts
//    each argument to the register's width, and refuses at compile time what is no argument of a system call.
//  - EINPROGRESS. A call may itself end in it (connect(2) on a non-blocking socket); result::is_pending() asks for the
//    handle, which decides.
//
// Header-only; throws nothing, allocates nothing, owns nothing: a result is a value, the memory rules are those of laio.h.
// Lost: handles that cancel themselves when they go out of scope. Cancelling does not give the memory back, so such an
// object would look safe and not be.
#ifndef LAIO_LAIO_HPP
#define LAIO_LAIO_HPP

#include <laio/laio.h>

#include <cerrno>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <system_error>
#include <time.h>
#include <type_traits>

namespace laio {

using completion = laio_completion;
using handle = laio_handle_t;

// What laio_syscall() said: over, with a value or an error, or pending in the background.
class [[nodiscard]] result {
public:
    constexpr result(long value, int error, handle pending = nullptr) noexcept
        : returned(value), failed(error), background(pending) {}
    // A completion is a result too, so that one function can handle both.
    constexpr explicit result(const completion &done) noexcept : result(done.laio_return_value, done.laio_errno) {}

    [[nodiscard]] constexpr bool is_pending() const noexcept { return background != nullptr; }
    // Over, and not failed.
    constexpr explicit operator bool() const noexcept { return !is_pending() && failed == 0; }
    // What the call returned; -1 while it is pending or if it failed.
    [[nodiscard]] constexpr long value() const noexcept { return returned; }
    // 0, or the errno of a call that failed; 0 while it is pending.
    [[nodiscard]] constexpr int error() const noexcept { return failed; }
    [[nodiscard]] std::error_code error_code() const noexcept { return {failed, std::system_category()}; }
    // The background call, or NULL if it is over.
    [[nodiscard]] constexpr laio::handle handle() const noexcept { return background; }
    // Has the completion of a pending call carry `data`.
    bool set_data(void *data) const noexcept { return laio_setdata(background, data) == 0; }

private:
    long returned;
    int failed;
    laio::handle background;
};

template <class type>
concept argument = std::integral<type> || std::is_enum_v<type> || std::is_null_pointer_v<type> ||
    (std::is_pointer_v<type> && !std::is_function_v<std::remove_pointer_t<type>>);

namespace detail {

template <argument type> long to_register(type value) noexcept {
    if constexpr (std::is_null_pointer_v<type>) return 0;
    else if constexpr (std::is_pointer_v<type>) return reinterpret_cast<long>(value);
    else return static_cast<long>(value);
}

} // namespace detail

// laio_syscall(): auto read = laio::call(SYS_read, fd, buffer.data(), buffer.size());
template <argument... types>
requires(sizeof...(types) <= 6) result call(long number, types... arguments)
noexcept {
    const long value = laio_syscall(number, detail::to_register(arguments)...);
    if (value != -1) return {value, 0};
    const int error = errno;
    if (error == EINPROGRESS)
        if (const handle pending = laio_gethandle(); pending != nullptr) return {-1, 0, pending};
    return {-1, error};
}

// What laio_poll() handed over: the filled part of the caller's array, or an error.
struct [[nodiscard]] batch {
    std::span<completion> completions;
    int error; // 0, or errno: EINTR, EDEADLK, ...

    [[nodiscard]] auto begin() const noexcept { return completions.begin(); }
    [[nodiscard]] auto end() const noexcept { return completions.end(); }
    [[nodiscard]] bool empty() const noexcept { return completions.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return completions.size(); }
};

namespace detail {

inline batch poll(std::span<completion> room, const timespec *timeout) noexcept {
    constexpr std::size_t length_max = std::numeric_limits<int>::max();
    const auto length = static_cast<int>(room.size() < length_max ? room.size() : length_max);
    const int count = laio_poll(room.data(), length, timeout);
    return count < 0 ? batch{{}, errno} : batch{room.first(static_cast<std::size_t>(count)), 0};
}

} // namespace detail

// laio_poll() without limit.
inline batch poll(std::span<completion> room) noexcept { return detail::poll(room, nullptr); }

// laio_poll() for at most `time`; rounded up to nanoseconds, less than nothing is nothing.
template <class representation, class period>
batch poll(std::span<completion> room, std::chrono::duration<representation, period> time) noexcept {
    using namespace std::chrono;
    using limit = duration<double>; // wide enough to compare with, whatever `time` counts in
    constexpr auto time_max = hours(24 * 365 * 100);
    timespec timeout{};
    if (limit(time) >= limit(time_max)) {
        timeout.tv_sec = duration_cast<seconds>(time_max).count();
    } else if (limit(time) > limit::zero()) {
        const auto exact = ceil<nanoseconds>(time);
        timeout.tv_sec = duration_cast<seconds>(exact).count();
        timeout.tv_nsec = (exact % seconds(1)).count();
    }
    return detail::poll(room, &timeout);
}

} // namespace laio

#endif
