// The server of slow files, a program of its own: what is slow or stopped must not be the tested process.
//
//   slow_file_server CONTROL READY LEASH LIFE_S MOUNT_POINT FOLDER
//
// The first three are descriptors: the shared block, where to say "ready" or what is wrong, and a pipe whose other end the
// test holds. There are two processes: the server, which may be stopped or killed, and its keeper, which never touches the
// file system; when the leash's other end is closed or written to, or the test is killed, or after LIFE_S seconds, the keeper
// kills the server, unmounts and ends. (A test that waits in the file system cannot end, even killed, before its server.)
#include "pass_through.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using laio::test::control;

constexpr unsigned threads_max = 256; // one for each call that waits

void write_nowhere(int descriptor) { dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), descriptor); }

int serve(control &shared, int ready, int folder, const char *mount_point) {
    umask(0);
    laio::test::pass_through_to(folder, shared);
    // An ordinary user's mount is made by fusermount3, which then stays to unmount it.
    std::string options = "fsname=slow_files";
    if (geteuid() != 0) options += ",auto_unmount";
    if (shared.is_cached.load() != 0) options += ",ro"; // what changes below would not be seen
    fuse_args arguments = FUSE_ARGS_INIT(0, nullptr);
    fuse_opt_add_arg(&arguments, "slow_file_server");
    fuse_opt_add_arg(&arguments, "-o");
    fuse_opt_add_arg(&arguments, options.c_str());
    fuse *files = fuse_new(&arguments, &laio::test::pass_through_operations(),
                           sizeof laio::test::pass_through_operations(), nullptr);
    if (files == nullptr || fuse_mount(files, mount_point) != 0) return 1;
    fuse_loop_config *config = fuse_loop_cfg_create();
    fuse_loop_cfg_set_max_threads(config, threads_max);
    fuse_loop_cfg_set_idle_threads(config, threads_max);
    shared.server.store(getpid());
    dprintf(ready, "ready\n");
    close(ready);
    write_nowhere(STDERR_FILENO); // it was `ready`
    return fuse_loop_mt(files, config);
}

void unmount(const char *mount_point) {
    if (umount2(mount_point, MNT_DETACH) == 0) return;
    const pid_t pid = fork();
    if (pid == 0) {
        execlp("fusermount3", "fusermount3", "-u", "-z", "-q", mount_point, nullptr);
        _exit(127);
    }
    waitpid(pid, nullptr, 0);
}

// SIGKILL is pending for one of its threads: it waits for the server.
bool is_being_killed(pid_t process) {
    std::error_code error;
    const auto tasks = std::filesystem::directory_iterator{"/proc/" + std::to_string(process) + "/task", error};
    if (error) return true;
    for (const auto &task : tasks) {
        std::ifstream status{task.path() / "status"};
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("SigPnd:") && (std::stoull(line.substr(7), nullptr, 16) >> (SIGKILL - 1U) & 1U) != 0)
                return true;
    }
    return false;
}

int number(const char *text) { return static_cast<int>(std::strtol(text, nullptr, 10)); }

} // namespace

int main(int argc, char **argv) {
    if (argc != 7) return 2;
    const int ready = number(argv[2]);
    const int leash = number(argv[3]);
    const int life_s = number(argv[4]);
    const char *mount_point = argv[5];
    const int folder = open(argv[6], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    void *memory = mmap(nullptr, sizeof(control), PROT_READ | PROT_WRITE, MAP_SHARED, number(argv[1]), 0);
    if (folder < 0 || memory == MAP_FAILED) return 2;
    write_nowhere(STDOUT_FILENO); // whoever runs the tests may wait for its end
    dup2(ready, STDERR_FILENO);   // what libfuse and fusermount3 complain of
    const pid_t server = fork();
    if (server == 0) {
        close(leash);
        _exit(serve(*static_cast<control *>(memory), ready, folder, mount_point));
    }
    close(ready);
    write_nowhere(STDERR_FILENO);
    pollfd end{leash, POLLIN, 0};
    for (int s = 0; s < life_s && poll(&end, 1, 1000) == 0 && !is_being_killed(getppid()); ++s) {}
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
    unmount(mount_point);
    return 0;
}
