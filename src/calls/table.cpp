// The table of calls, put together at compile time from rows.def and numbers/*.def.
//
// Invariants, each checked by the compiler: a number names a call that has a row, once; a row has a number somewhere; a
// signature has no unknown character; a form stands where the route is attempt, and nowhere else. Constant data: any
// thread may read it, nobody owns it.
// Lost: a table of pointers to rows, or of indices. They are smaller, and one more load for every call.
#include "calls/table.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string_view>

namespace laio {
namespace {

// ---- The rows by name --------------------------------------------------------------------------------------------

enum class call_name : std::uint16_t {
#define LAIO_CALL(name, way, how, ring, arguments) name,
#include "calls/rows.def"
#undef LAIO_CALL
};

consteval std::int8_t first_descriptor(std::string_view arguments) {
    const std::size_t position = arguments.find('f');
    return position == std::string_view::npos ? std::int8_t{-1} : static_cast<std::int8_t>(position);
}

// Whether it passes structures that it may reuse as soon as the call went to the background: see calls/transfer.hpp.
consteval bool has_copies(std::string_view arguments) {
    return arguments.find_first_of("vmt") != std::string_view::npos;
}

consteval bool is_simple(std::string_view arguments) {
    return !has_copies(arguments) && arguments.find('f', 1) == std::string_view::npos;
}

// Those that may go to the background. Not dup2(2) and dup3(2), whose caller knows the number, nor what ioctl(2) and bpf(2)
// give, which is a descriptor for some commands only.
constexpr std::string_view openers[] = {"open",   "openat",  "openat2",     "creat",          "open_by_handle_at",
                                        "accept", "accept4", "open_tree",   "open_tree_attr", "fsopen",
                                        "fspick", "fsmount", "userfaultfd", "pidfd_getfd"};

consteval bool does_open(std::string_view name) { return std::ranges::find(openers, name) != std::end(openers); }

consteval bool does_replace(std::string_view name) { return name == "dup2" || name == "dup3" || name == "close_range"; }

consteval bool is_signature(std::string_view arguments) {
    return arguments.size() < sizeof(signature) && arguments.find_first_not_of("fdp-iobvmt") == std::string_view::npos;
}

constexpr row named_rows[] = {
#define LAIO_CALL(name, way, how, ring, arguments)                                                                     \
    {#name,                                                                                                            \
     route::way,                                                                                                       \
     form::how,                                                                                                        \
     ring_operation::ring,                                                                                             \
     arguments,                                                                                                        \
     first_descriptor(arguments),                                                                                      \
     has_copies(arguments),                                                                                            \
     is_simple(arguments) && !does_replace(#name),                                                                     \
     does_open(#name),                                                                                                 \
     does_replace(#name)},
#include "calls/rows.def"
#undef LAIO_CALL
};

#define LAIO_CALL(name, way, how, ring, arguments)                                                                     \
    static_assert(is_signature(arguments), "rows.def: the signature of " #name " has a character that means nothing"); \
    static_assert((route::way == route::attempt) == (form::how != form::none),                                         \
                  "rows.def: " #name " must have a form if its route is attempt, and only then");                      \
    static_assert(route::way != route::queued, "rows.def: " #name " is queued; that is decided by the loop");
#include "calls/rows.def"
#undef LAIO_CALL

static_assert(std::ranges::count_if(named_rows, &row::opens) == std::ssize(openers), "a name that is no row's");

// ---- The rows by number ------------------------------------------------------------------------------------------

struct number {
    std::size_t value;
    call_name which;
};

constexpr number x86_64_numbers[] = {
#define LAIO_NUMBER(value, name) {value, call_name::name},
#include "calls/numbers/x86_64.def"
#undef LAIO_NUMBER
};

constexpr number aarch64_numbers[] = {
#define LAIO_NUMBER(value, name) {value, call_name::name},
#include "calls/numbers/aarch64.def"
#undef LAIO_NUMBER
};

// The files are in ascending order, so that a number given twice is seen here.
template <std::size_t count> consteval bool is_ascending(const number (&numbers)[count]) {
    for (std::size_t i = 1; i < count; ++i) {
        if (numbers[i].value <= numbers[i - 1].value) { return false; }
    }
    return numbers[count - 1].value < table_capacity;
}
static_assert(is_ascending(x86_64_numbers), "x86_64.def: not in ascending order, or beyond table_capacity");
static_assert(is_ascending(aarch64_numbers), "aarch64.def: not in ascending order, or beyond table_capacity");

template <std::size_t count> consteval std::size_t times_numbered(const number (&numbers)[count], call_name which) {
    std::size_t times = 0;
    for (const number &each : numbers) { times += each.which == which ? 1U : 0U; }
    return times;
}
#define LAIO_CALL(name, way, how, ring, arguments)                                                                     \
    static_assert(times_numbered(x86_64_numbers, call_name::name) + times_numbered(aarch64_numbers, call_name::name) > \
                      0,                                                                                               \
                  "rows.def: no architecture has a number for " #name);                                                \
    static_assert(times_numbered(x86_64_numbers, call_name::name) < 2 &&                                               \
                      times_numbered(aarch64_numbers, call_name::name) < 2,                                            \
                  "numbers: an architecture has two for " #name);
#include "calls/rows.def"
#undef LAIO_CALL

template <std::size_t count> consteval row_table join(const number (&numbers)[count]) {
    row_table joined{};
    for (const number &each : numbers) { joined.rows[each.value] = named_rows[static_cast<std::size_t>(each.which)]; }
    return joined;
}

// ---- Looking up --------------------------------------------------------------------------------------------------

template <std::size_t count> consteval std::size_t size_of(const number (&numbers)[count]) {
    return numbers[count - 1].value + 1;
}

#if defined(__x86_64__) && !defined(__ILP32__)
constexpr const char *native_architecture = "x86_64";
constexpr const char *other_architecture = "aarch64";
constexpr const auto &native_numbers = x86_64_numbers;
constexpr const auto &other_numbers = aarch64_numbers;
#elif defined(__aarch64__) && !defined(__ILP32__)
constexpr const char *native_architecture = "aarch64";
constexpr const char *other_architecture = "x86_64";
constexpr const auto &native_numbers = aarch64_numbers;
constexpr const auto &other_numbers = x86_64_numbers;
#else
#error "calls/numbers/ has no file for this architecture"
#endif

constexpr row_table other_table = join(other_numbers);

const row *find_other_row(long number) { return find_row_in(other_table, number); }

constexpr numbering numberings[] = {
    {native_architecture, find_row, size_of(native_numbers)},
    {other_architecture, find_other_row, size_of(other_numbers)},
};

// The names of an enum's values, in its order.
template <std::size_t count> const char *name_in(const char *const (&names)[count], std::size_t value) {
    return value < count ? names[value] : "?";
}

} // namespace

constinit const row_table call_table = join(native_numbers);

std::size_t table_size() { return size_of(native_numbers); }

const numbering *find_numbering(const char *architecture) {
    for (const numbering &each : numberings) {
        if (std::strcmp(each.architecture, architecture) == 0) { return &each; }
    }
    return nullptr;
}

const char *name_of(route value) {
    static constexpr const char *names[] = {"direct", "attempt", "activation", "home", "queued"};
    static_assert(std::size(names) == static_cast<std::size_t>(route::queued) + 1);
    return name_in(names, static_cast<std::size_t>(value));
}

const char *name_of(form value) {
    static constexpr const char *names[] = {
        "none",    "read",   "write",  "receive", "send",  "receive_many", "send_many", "accept",
        "connect", "open",   "status", "close",   "lock",  "control",      "wait",      "sleep",
        "poll",    "events", "random", "message", "futex", "send_file",    "pipe_copy", "option",
    };
    static_assert(std::size(names) == static_cast<std::size_t>(form::option) + 1);
    return name_in(names, static_cast<std::size_t>(value));
}

const char *name_of(ring_operation value) {
    static constexpr const char *names[] = {
        "none",     "read",     "write",          "receive",  "send",   "accept", "connect", "open",
        "close",    "statx",    "sync",           "allocate", "advise", "splice", "tee",     "shutdown",
        "rename",   "unlink",   "make_directory", "symlink",  "link",   "poll",   "timeout", "getxattr",
        "setxattr", "truncate", "wait",           "pipe",     "socket", "bind",   "listen",  "futex",
    };
    static_assert(std::size(names) == static_cast<std::size_t>(ring_operation::futex) + 1);
    return name_in(names, static_cast<std::size_t>(value));
}

} // namespace laio
