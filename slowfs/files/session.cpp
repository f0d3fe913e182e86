#include "session.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

namespace slowfs {
namespace {

constexpr unsigned requests_between_looks = 64;

volatile std::sig_atomic_t wants_end = 0;
volatile std::sig_atomic_t wants_report = 0;

void on_signal(int number) { (number == SIGUSR1 ? wants_report : wants_end) = 1; }

// What is set while it sleeps.
sigset_t take_signals() {
    sigset_t ours{};
    sigset_t before{};
    sigemptyset(&ours);
    struct sigaction action {};
    action.sa_handler = on_signal;
    for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
        sigaddset(&ours, one);
        sigaction(one, &action, nullptr);
    }
    sigprocmask(SIG_BLOCK, &ours, &before);
    for (const int one : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigdelset(&before, one);
    return before;
}

fuse_session *make_session(file_system &files, const mount_options &options) {
    std::string list = "fsname=laio-slowfs,subtype=laio-slowfs,ro,default_permissions";
    if (options.for_others) list += ",allow_other";
    if (options.read_max > 0) list += fmt::format(",max_read={}", options.read_max);
    fuse_args arguments = FUSE_ARGS_INIT(0, nullptr);
    for (const char *one : {"laio-slowfs", "-o", list.c_str()}) fuse_opt_add_arg(&arguments, one);
    const auto &callbacks = file_system::callbacks();
    auto *made = fuse_session_new(&arguments, &callbacks, sizeof callbacks, &files);
    fuse_opt_free_args(&arguments);
    return made;
}

void check_device() {
    const int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device >= 0) {
        close(device);
        return;
    }
    const int error = errno;
    throw std::runtime_error(fmt::format("/dev/fuse: {}{}", std::strerror(error),
                                         error == ENOENT || error == ENODEV || error == ENXIO
                                             ? ": this kernel has no FUSE, or its module is not loaded"
                                             : ": this user may not mount by FUSE"));
}

} // namespace

session::session(file_system &files, mount_options options)
    : files_(files), options_(std::move(options)), while_asleep_(take_signals()) {
    check_device();
    // Sleeping for as long as told, not for the 50 us longer that an ordinary thread may.
    prctl(PR_SET_TIMERSLACK, 1UL);
    session_ = make_session(files, options_);
    if (session_ == nullptr) throw std::runtime_error("libfuse refuses its options");
    if (fuse_session_mount(session_, options_.at.c_str()) != 0) {
        fuse_session_destroy(session_);
        throw std::runtime_error(fmt::format("{}: cannot be mounted at", options_.at));
    }
    fcntl(fuse_session_fd(session_), F_SETFL, fcntl(fuse_session_fd(session_), F_GETFL) | O_NONBLOCK);
}

session::~session() {
    files_.answer_all();
    fuse_session_unmount(session_);
    fuse_session_destroy(session_);
    std::free(buffer_.mem);
}

session::receipt session::receive() {
    const int got = fuse_session_receive_buf(session_, &buffer_);
    if (got == -EAGAIN || got == -EINTR) return receipt::nothing;
    if (got <= 0) return receipt::end;
    fuse_session_process_buf(session_, &buffer_);
    files_.answer_due();
    return fuse_session_exited(session_) != 0 ? receipt::end : receipt::request;
}

void session::wait(bool at_most_a_look) {
    pollfd device{fuse_session_fd(session_), POLLIN, 0};
    const auto next = at_most_a_look ? std::optional(nanoseconds::zero()) : files_.next_answer();
    timespec time{};
    if (next) {
        const auto whole = std::chrono::duration_cast<std::chrono::seconds>(*next);
        time = {whole.count(), (*next - whole).count()};
    }
    ppoll(&device, 1, next ? &time : nullptr, &while_asleep_);
}

void session::begin() {
    while (!files_.is_initialised() && wants_end == 0) {
        if (receive() == receipt::end) throw std::runtime_error(fmt::format("{}: unmounted at once", options_.at));
        if (!files_.is_initialised()) wait(false);
    }
    if (options_.read_ahead_kb > 0) set_read_ahead();
}

void session::run(const std::function<void()> &on_report) {
    auto last = receipt::nothing;
    while (wants_end == 0 && last != receipt::end) {
        for (unsigned i = 0; i < requests_between_looks; ++i)
            if (last = receive(); last != receipt::request) break;
        files_.answer_due();
        if (last != receipt::end) wait(last == receipt::request);
        files_.answer_due();
        if (wants_report != 0) {
            wants_report = 0;
            on_report();
        }
    }
}

// The kernel does not let a file system ask for more than its default; who is root may set it.
void session::set_read_ahead() const {
    struct statx found {};
    // Of what the kernel knows already: nobody but us could be asked.
    if (statx(AT_FDCWD, options_.at.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &found) != 0)
        throw std::runtime_error(fmt::format("{}: {}", options_.at, std::strerror(errno)));
    const auto path = fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", found.stx_dev_major, found.stx_dev_minor);
    std::ofstream to(path);
    to << options_.read_ahead_kb << std::flush;
    if (!to) throw std::runtime_error(fmt::format("{}: cannot be written to: {}", path, std::strerror(errno)));
}

} // namespace slowfs
