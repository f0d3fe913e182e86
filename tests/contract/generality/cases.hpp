// What generality_test.cpp plays: tables of cases, one for each room of the kernel, in the file of the same name.
#pragma once

#include "stage.hpp"

#include <span>
#include <vector>

namespace laio::test {

struct generality_case {
    const char *name;
    std::vector<long> numbers; // the calls that it is about
    void (*play)(stage &);
    bool uses_nonblocking = false; // descriptors with O_NONBLOCK
    bool only_waits = false;       // none of its calls returns at once
};

// The tables, one a room of the kernel.
std::span<const generality_case> file_cases();
std::span<const generality_case> tree_cases();
std::span<const generality_case> descriptor_cases();
std::span<const generality_case> socket_cases();
std::span<const generality_case> process_cases();
std::span<const generality_case> message_cases();
std::span<const generality_case> event_cases();
std::span<const generality_case> waiting_cases();

} // namespace laio::test
