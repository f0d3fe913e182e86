// A stage on which one system call is played twice: with syscall() in a forked child, and through laio_syscall() here.
// Both write down what they see, in the same words; the two transcripts have to be equal.
//
// A stage also keeps which of its calls returned directly: laziness/ asks for it.
//
// What is played is a function that sets the scene with plain calls, makes its call through the stage, and notes what the call
// changed. What differs between processes by nature (descriptor numbers, process ids) is noted as a class, not as a number.
#pragma once

#include "harness.hpp"

#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace laio::test {

class stage {
public:
    enum class way : std::uint8_t { plain, lazy };
    explicit stage(way how) : how_{how} {}
    [[nodiscard]] bool is_lazy() const { return how_ == way::lazy; }

    // Makes the call and notes its value or error.
    template <class... argument> long call(long number, argument... values) {
        return note_result(number, make(number, arguments{as_argument(values)...}, {}));
    }
    // The same for a call that may wait by itself: for a time, a disk, a process that ends.
    template <class... argument> long call_that_waits(long number, argument... values) {
        const long value = call(number, values...);
        if (!steps_.empty()) steps_.back().may_wait = true;
        return value;
    }
    // The same for a call that has to wait until `meanwhile` ran beside it.
    template <class... argument>
    long call_while(const std::function<void()> &meanwhile, long number, argument... values) {
        return note_result(number, make(number, arguments{as_argument(values)...}, meanwhile));
    }
    // Makes a call that returns a descriptor: noted is whether it did.
    template <class... argument> descriptor call_for_descriptor(long number, argument... values) {
        return note_descriptor(number, make(number, arguments{as_argument(values)...}, {}));
    }
    template <class... argument>
    descriptor call_for_descriptor_while(const std::function<void()> &meanwhile, long number, argument... values) {
        return note_descriptor(number, make(number, arguments{as_argument(values)...}, meanwhile));
    }
    // Makes the call, notes only its error; for values that are a process's own.
    template <class... argument> long call_for_value(long number, argument... values) {
        return note_value(number, make(number, arguments{as_argument(values)...}, {}));
    }

    // What was made through the library, in order.
    struct step {
        long number;
        bool is_direct;
        bool may_wait;
    };
    [[nodiscard]] const std::vector<step> &steps() const { return steps_; }

    void note(std::string_view what, long value);
    void note(std::string_view what, std::string_view bytes);
    void note_content(std::string_view file); // of the directory, or that it is not there
    void note_status(std::string_view file);  // kind, mode, size, links

    [[nodiscard]] std::string path(std::string_view name) const { return directory_.path(name); }
    descriptor file(std::string_view name, std::string_view content) const { return directory_.file(name, content); }
    [[nodiscard]] const directory &root() const { return directory_; }
    [[nodiscard]] const std::string &transcript() const { return transcript_; }

private:
    outcome make(long number, const arguments &values, const std::function<void()> &meanwhile);
    long note_result(long number, outcome result);
    descriptor note_descriptor(long number, outcome result);
    long note_value(long number, outcome result);

    way how_;
    directory directory_;
    std::string transcript_;
    std::vector<step> steps_;
};

// Plays it with plain calls, in a forked child; the transcript.
std::string play_plainly(const std::function<void(stage &)> &play);

// Plays it both ways and compares; the plain transcript.
std::string expect_same_as_plain(const std::function<void(stage &)> &play);

} // namespace laio::test
