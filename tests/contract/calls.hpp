// The numbers of this machine's system calls by name, from the library's own list: also of calls that are newer than the C
// library's headers, or that this architecture never had.
#pragma once

#include <iterator>
#include <string_view>

namespace laio::test {

struct numbered_call {
    long number;
    std::string_view name;
};

inline constexpr numbered_call x86_64_calls[] = {
#define LAIO_NUMBER(value, name) {value, #name},
#include "calls/numbers/x86_64.def"
#undef LAIO_NUMBER
};
inline constexpr numbered_call aarch64_calls[] = {
#define LAIO_NUMBER(value, name) {value, #name},
#include "calls/numbers/aarch64.def"
#undef LAIO_NUMBER
};

#if defined(__x86_64__)
inline constexpr const auto &native_calls = x86_64_calls;
#else
inline constexpr const auto &native_calls = aarch64_calls;
#endif

// The number of a call that exists elsewhere only: no call has it, here or anywhere.
inline constexpr long no_number = 6'999'999;

template <std::size_t count> consteval long find_number(const numbered_call (&calls)[count], std::string_view name) {
    for (const numbered_call &one : calls)
        if (one.name == name) return one.number;
    return no_number;
}

// A name that no architecture knows does not compile.
consteval long number_of(std::string_view name) {
    if (find_number(x86_64_calls, name) == no_number && find_number(aarch64_calls, name) == no_number)
        throw "no such call";
    return find_number(native_calls, name);
}

} // namespace laio::test
