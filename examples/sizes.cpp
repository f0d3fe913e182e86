// laio.hpp at work: asks for the sizes of all files named, at once, and prints each when its answer is there. Those whose
// answers are in memory return in place; the rest are in the background together.
//
//   sizes FILE...
//   sizes --self-test
#include <laio/laio.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

struct query {
    std::string name;
    struct statx answer;

    void finish(const laio::result &result) const {
        if (result) std::printf("%12llu  %s\n", static_cast<unsigned long long>(answer.stx_size), name.c_str());
        else std::printf("%s: %s\n", name.c_str(), result.error_code().message().c_str());
    }
};

// False: a call could not be followed to its end.
bool ask(const std::vector<std::unique_ptr<query>> &queries) {
    std::size_t pending = 0;
    for (const auto &query : queries) {
        const auto result = laio::call(SYS_statx, AT_FDCWD, query->name.c_str(), 0, STATX_SIZE, &query->answer);
        if (!result.is_pending()) query->finish(result);
        else if (result.set_data(query.get())) ++pending;
    }
    std::array<laio_completion, 16> room{};
    while (pending > 0) {
        const auto batch = laio::poll(room);
        if (batch.error != 0 && batch.error != EINTR) return false;
        for (const auto &completion : batch)
            static_cast<query *>(completion.laio_data)->finish(laio::result(completion));
        pending -= batch.size();
    }
    return true;
}

bool check(bool good, const char *what) {
    if (!good) std::fprintf(stderr, "self-test: %s\n", what);
    return good;
}

bool test_direct_call() {
    const auto pid = laio::call(SYS_getpid);
    const auto bad = laio::call(SYS_fcntl, -1, F_GETFD);
    return check(pid && pid.value() == ::getpid() && pid.handle() == nullptr, "getpid") &&
           check(!bad && !bad.is_pending() && bad.value() == -1 && bad.error_code() == std::errc::bad_file_descriptor,
                 "a descriptor that is none");
}

bool test_pending_call() {
    using namespace std::chrono_literals;
    std::array<int, 2> ends{};
    std::array<laio_completion, 4> room{};
    char byte = 0;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return check(false, "pipe");
    const auto read = laio::call(SYS_read, ends[0], &byte, sizeof byte);
    bool good = check(read.is_pending() && !read && read.error() == 0 && read.set_data(&byte), "a read did not wait");
    good = good && check(laio::poll(room, 0s).empty(), "complete too early") &&
           check(laio::poll(room, -1ms).empty(), "a time before now") &&
           check(laio::poll(room, 0.5us).empty(), "a part of a unit") && check(::write(ends[1], "x", 1) == 1, "write");
    const auto batch = laio::poll(room, std::chrono::hours::max());
    good = good && check(batch.size() == 1 && batch.error == 0, "no completion") &&
           check(batch.completions[0].laio_handle == read.handle() && batch.completions[0].laio_data == &byte,
                 "another call's completion") &&
           check(laio::result(batch.completions[0]).value() == 1 && byte == 'x', "a wrong result");
    ::close(ends[0]);
    ::close(ends[1]);
    return good && check(laio::poll(room).error == EDEADLK, "to wait for nothing is an error") &&
           check(laio::poll(std::span(room).first(0), 0s).error == EINVAL, "no room");
}

// Files whose sizes are known, and one that is none.
bool test_query() {
    std::vector<std::unique_ptr<query>> queries;
    for (const char *name : {"/proc/self/exe", "/", "/nowhere/at/all"})
        queries.push_back(std::make_unique<query>(query{name, {}}));
    struct statx own {};
    return check(ask(queries), "a call was lost") &&
           check(::statx(AT_FDCWD, "/proc/self/exe", 0, STATX_SIZE, &own) == 0 && own.stx_size != 0, "statx") &&
           check(queries[0]->answer.stx_size == own.stx_size, "a wrong size");
}

} // namespace

int main(int argc, char **argv) {
    if (argc == 2 && std::strcmp(argv[1], "--self-test") == 0)
        return test_direct_call() && test_pending_call() && test_query() ? 0 : 1;
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FILE... | --self-test\n", argv[0]);
        return 2;
    }
    std::vector<std::unique_ptr<query>> queries;
    for (int i = 1; i < argc; ++i) queries.push_back(std::make_unique<query>(query{argv[i], {}}));
    return ask(queries) ? 0 : 1;
}
