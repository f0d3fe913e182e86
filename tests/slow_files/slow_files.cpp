// See slow_files.hpp.
#include "slow_files.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

constexpr unsigned server_life_s = 4 * deadline_s;

// Mounts of this process end with it, however it ends. An ordinary user's are made by fusermount3 where all can see them.
void leave_others_their_mounts() {
    static const bool left =
        unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    (void)left;
}

std::string server_program() {
    return std::filesystem::read_symlink("/proc/self/exe").replace_filename("slow_file_server");
}

[[noreturn]] void run_server(const std::vector<std::string> &words, const std::array<int, 3> &inherited) {
    std::vector<char *> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string &word : words) arguments.push_back(const_cast<char *>(word.c_str())); // as execv wants them
    arguments.push_back(nullptr);
    for (const int fd : inherited) fcntl(fd, F_SETFD, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execv(arguments[0], arguments.data());
    _exit(127);
}

// The server's first words, up to the end of a line.
std::string first_line(int fd) {
    std::string line;
    char next = 0;
    while (read(fd, &next, 1) == 1 && next != '\n') line += next;
    return line;
}

} // namespace

slow_files::slow_files() { why_not_ = start(); }

std::string slow_files::start() {
    const descriptor block{memfd_create("slow_files", MFD_CLOEXEC)};
    if (ftruncate(block.get(), sizeof(control)) != 0) return std::strerror(errno);
    void *memory = mmap(nullptr, sizeof(control), PROT_READ | PROT_WRITE, MAP_SHARED, block.get(), 0);
    if (memory == MAP_FAILED) return std::strerror(errno);
    control_ = static_cast<control *>(memory);
    const std::string program = server_program();
    if (access(program.c_str(), X_OK) != 0) return program + ": " + std::strerror(errno);
    leave_others_their_mounts();
    pipe_ends ready = make_pipe();
    pipe_ends leash = make_pipe();
    const std::vector<std::string> words{program,
                                         std::to_string(block.get()),
                                         std::to_string(ready.writer.get()),
                                         std::to_string(leash.reader.get()),
                                         std::to_string(server_life_s),
                                         mount_point_.path(),
                                         folder_.path()};
    std::fflush(nullptr);
    keeper_ = fork();
    if (keeper_ == 0) run_server(words, {block.get(), ready.writer.get(), leash.reader.get()});
    ready.writer.reset();
    leash_ = std::move(leash.writer);
    const std::string said = first_line(ready.reader.get());
    if (said == "ready") return "";
    return "no FUSE file system to be had: " + (said.empty() ? "the server does not say why" : said);
}

slow_files::~slow_files() {
    release();
    if (keeper_ > 0) {
        write_all(leash_.get(), "e");
        while (waitpid(keeper_, nullptr, 0) < 0 && errno == EINTR) {}
    }
    if (control_ != nullptr) munmap(control_, sizeof(control));
}

void slow_files::freeze(bool is_deaf) {
    control_->is_deaf.store(is_deaf ? 1 : 0);
    control_->is_frozen.store(1);
}

// A thread that was at work goes on for a moment.
void slow_files::stop() {
    const pid_t server = control_->server.load();
    if (server <= 0) return;
    ::kill(server, SIGSTOP);
    wait_until([server] {
        for (const auto &task : std::filesystem::directory_iterator{"/proc/" + std::to_string(server) + "/task"}) {
            std::ifstream status{task.path() / "stat"};
            std::string line;
            std::getline(status, line);
            if (line.find(") T ") == std::string::npos) return false;
        }
        return true;
    });
}

void slow_files::release() {
    if (control_ == nullptr) return;
    control_->is_frozen.store(0);
    for (auto &ms : control_->takes_ms) ms.store(0);
    if (const pid_t server = control_->server.load(); server > 0) ::kill(server, SIGCONT);
}

// The keeper has not waited for it yet, so the number is nobody else's.
void slow_files::kill() {
    const pid_t server = control_->server.load();
    if (server > 0) ::kill(server, SIGKILL);
}

} // namespace laio::test
