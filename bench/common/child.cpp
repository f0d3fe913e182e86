// See child.hpp.
#include "child.hpp"

#include "failure.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <utility>

namespace laio::bench {
namespace {

[[noreturn]] void run(int writer, const std::function<nlohmann::ordered_json()> &measure) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string text;
    try {
        text = measure().dump();
    } catch (const std::exception &error) { fail("{}", error.what()); }
    for (std::size_t done = 0; done < text.size();)
        done += static_cast<std::size_t>(must(::write(writer, text.data() + done, text.size() - done), "write"));
    ::_exit(0);
}

} // namespace

child::child(std::string name, const std::function<nlohmann::ordered_json()> &measure) : name_(std::move(name)) {
    std::array<int, 2> ends{};
    must(::pipe(ends.data()), "pipe");
    reader_ = descriptor(ends[0]);
    const descriptor writer(ends[1]);
    std::fflush(stdout);
    process_ = must(::fork(), "fork");
    if (process_ != 0) return;
    reader_.reset();
    run(writer.get(), measure);
}

child::~child() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
}

void child::wait() {
    std::array<char, 4096> part{};
    ssize_t got = 0;
    while ((got = must(::read(reader_.get(), part.data(), part.size()), "read")) > 0)
        text_.append(part.data(), static_cast<std::size_t>(got));
}

nlohmann::ordered_json child::result() {
    wait();
    int status = 0;
    must(::waitpid(std::exchange(process_, -1), &status, 0), "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || text_.empty())
        throw std::runtime_error(fmt::format("{} failed (wait status {:#x})", name_, static_cast<unsigned>(status)));
    return nlohmann::ordered_json::parse(text_);
}

} // namespace laio::bench
