// The answer to one question about this machine, in a form that can be printed either way.
#pragma once

#include <string>

namespace probe {

enum class state { usable, unusable, not_asked };

struct verdict {
    state is = state::not_asked;
    int error = 0;      // errno, 0: none. With `usable`: a "would block", which is an answer too.
    int signal = 0;     // that killed who asked
    std::string reason; // a likely one; empty where there is nothing to explain
};

// "EPERM"; the number where it has no name.
std::string errno_name(int error);
// "SIGSYS"; the number where it has no name.
std::string signal_name(int number);

// "yes", "no: EPERM (...)", "not asked: ...".
std::string in_words(const verdict &of);

// Nothing came back: the child was killed, or there was none. An errno of the kernel is the caller's to judge.
verdict no_answer(int signal, int error);

} // namespace probe
