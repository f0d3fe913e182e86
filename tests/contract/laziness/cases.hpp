// What laziness/every_call.cpp plays beside the cases of generality/: tables of calls that return at once, one for each room of
// the kernel. Where a call cannot be made to do its work without harm, an error that the kernel finds at once stands for it.
#pragma once

#include "calls.hpp"
#include "generality/cases.hpp"

#include <string_view>

namespace laio::test {

std::span<const generality_case> lazy_file_cases();
std::span<const generality_case> lazy_mount_cases();
std::span<const generality_case> lazy_memory_cases();
std::span<const generality_case> lazy_event_cases();
std::span<const generality_case> lazy_time_cases();
std::span<const generality_case> lazy_process_cases();
std::span<const generality_case> lazy_thread_cases();
std::span<const generality_case> lazy_identity_cases();
std::span<const generality_case> lazy_system_cases();

// Calls that no case may make, and why.
struct exempt_call {
    std::string_view name;
    std::string_view reason;
};
std::span<const exempt_call> exempt_calls();

} // namespace laio::test
