// See stage.hpp.
#include "stage.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace laio::test {

outcome stage::make(long number, const arguments &values, const std::function<void()> &meanwhile) {
    if (how_ == way::plain) {
        std::thread beside;
        if (meanwhile) beside = std::thread{meanwhile};
        const outcome result = plain_call(number, values);
        if (beside.joinable()) beside.join();
        return result;
    }
    call_record *call = begin_call(number, values);
    steps_.push_back({number, call->is_direct(), meanwhile != nullptr});
    if (meanwhile) {
        EXPECT_FALSE(call->is_direct()) << "call " << number << " did not wait: " << call->result;
        meanwhile();
    }
    return finish(call);
}

void stage::note(std::string_view what, long value) {
    transcript_ += std::string{what} + " " + std::to_string(value) + "\n";
}

void stage::note(std::string_view what, std::string_view bytes) {
    transcript_ += std::string{what} + " ";
    for (const char byte : bytes) {
        std::array<char, 8> shown{};
        const bool printable = byte >= ' ' && byte <= '~';
        std::snprintf(shown.data(), shown.size(), printable ? "%c" : "\\%02x",
                      printable ? byte : static_cast<unsigned char>(byte));
        transcript_ += shown.data();
    }
    transcript_ += "\n";
}

void stage::note_content(std::string_view file) {
    const descriptor opened{open(path(file).c_str(), O_RDONLY | O_CLOEXEC)};
    if (opened.get() < 0) note(std::string{file} + " cannot be opened:", errno);
    else note(std::string{file} + " holds", read_all(opened.get(), 1U << 20U));
}

void stage::note_status(std::string_view file) {
    struct stat status {};
    if (lstat(path(file).c_str(), &status) != 0) {
        note(std::string{file} + " has no status:", errno);
        return;
    }
    note(std::string{file} + " mode", static_cast<long>(status.st_mode));
    note(std::string{file} + " links", static_cast<long>(status.st_nlink));
    if (!S_ISDIR(status.st_mode)) note(std::string{file} + " size", status.st_size);
}

long stage::note_result(long number, outcome result) {
    note("call", number);
    note("  gave", result.value);
    note("  error", static_cast<long>(result.error));
    return result.value;
}

descriptor stage::note_descriptor(long number, outcome result) {
    note("call", number);
    note("  gave a descriptor", static_cast<long>(result.value >= 0));
    note("  error", static_cast<long>(result.error));
    return descriptor{static_cast<int>(result.value)};
}

long stage::note_value(long number, outcome result) {
    note("call", number);
    note("  error", static_cast<long>(result.error));
    return result.value;
}

std::string play_plainly(const std::function<void(stage &)> &play) {
    pipe_ends transcript = make_pipe();
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
        arm_deadline("the plain call", deadline_s);
        transcript.reader.reset();
        {
            stage plain{stage::way::plain};
            play(plain);
            write_all(transcript.writer.get(), plain.transcript());
        }
        _exit(0);
    }
    transcript.writer.reset();
    std::string expected = read_all(transcript.reader.get(), 1U << 20U);
    EXPECT_EQ(plain(SYS_wait4, pid, nullptr, 0, nullptr).value, pid);
    EXPECT_NE(expected, "");
    return expected;
}

std::string expect_same_as_plain(const std::function<void(stage &)> &play) {
    std::string expected = play_plainly(play);
    stage lazy{stage::way::lazy};
    play(lazy);
    EXPECT_EQ(lazy.transcript(), expected);
    return expected;
}

} // namespace laio::test
