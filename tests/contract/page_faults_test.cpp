// Every call can block: on a page of its caller's memory that is not there yet. Calls whose route is activation are given a
// path, a structure or a buffer on a page that userfaultfd(2) holds back. Each goes to the background, whatever it does
// otherwise, the loop goes on, and the result is the plain call's once the page has come.
//
// The kernel's own faults are held back for root only, or for who may open /dev/userfaultfd: else skipped aloud.
#include "harness.hpp"

#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr std::size_t page_size = 4096;

// A page that is missing until fill().
class missing_page {
public:
    missing_page() {
        place_ =
            static_cast<char *>(mmap(nullptr, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
        uffdio_register wanted{};
        wanted.range = range();
        wanted.mode = UFFDIO_REGISTER_MODE_MISSING;
        faults_ = descriptor{open_faults()};
        works_ = faults_.get() >= 0 && ioctl(faults_.get(), UFFDIO_API, &api) == 0 &&
                 ioctl(faults_.get(), UFFDIO_REGISTER, &wanted) == 0;
    }
    ~missing_page() { munmap(place_, page_size); }
    missing_page(const missing_page &) = delete;
    missing_page &operator=(const missing_page &) = delete;

    [[nodiscard]] bool works() const { return works_; }
    [[nodiscard]] char *place() const { return place_; }

    // Until somebody waits for it. Who has other work meanwhile may be gone again when the message is read, and comes back.
    void await_fault() const {
        pollfd item{faults_.get(), POLLIN, 0};
        uffd_msg message{};
        ssize_t got = -1;
        while ((got = read(faults_.get(), &message, sizeof message)) < 0 && (errno == EAGAIN || errno == EINTR))
            poll(&item, 1, -1);
        EXPECT_EQ(got, static_cast<ssize_t>(sizeof message));
        EXPECT_EQ(message.event, UFFD_EVENT_PAGEFAULT);
    }
    void fill(std::string_view content) const {
        alignas(page_size) static std::array<char, page_size> whole;
        whole.fill(0);
        content.copy(whole.data(), whole.size());
        uffdio_copy copied{};
        copied.dst = reinterpret_cast<std::uintptr_t>(place_);
        copied.src = reinterpret_cast<std::uintptr_t>(whole.data());
        copied.len = page_size;
        EXPECT_EQ(ioctl(faults_.get(), UFFDIO_COPY, &copied), 0) << strerror(errno);
    }

private:
    [[nodiscard]] uffdio_range range() const { return {reinterpret_cast<std::uintptr_t>(place_), page_size}; }
    static int open_faults() {
        const long made = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
        if (made >= 0) return static_cast<int>(made);
        const descriptor device{open("/dev/userfaultfd", O_RDWR | O_CLOEXEC)};
        constexpr unsigned long new_one = 0xaa00; // USERFAULTFD_IOC_NEW, younger than some headers
        return device.get() < 0 ? -1 : ioctl(device.get(), new_one, O_CLOEXEC | O_NONBLOCK);
    }

    char *place_;
    descriptor faults_;
    bool works_ = false;
};

// Lets the page come in the end though the test hangs in it: the kernel spins in such a fault, deaf to the deadline's signal.
class rescue {
public:
    explicit rescue(const missing_page &held) : thread_{[this, &held] { wait(held); }} {}
    ~rescue() {
        over_.release();
        thread_.join();
    }
    rescue(const rescue &) = delete;
    rescue &operator=(const rescue &) = delete;

private:
    void wait(const missing_page &held) {
        if (over_.try_acquire_for(std::chrono::seconds{deadline_s / 2})) return;
        ADD_FAILURE() << "the loop hangs in the fault";
        held.fill("");
    }

    std::binary_semaphore over_{0};
    std::thread thread_;
};

// What the calls work on; a fresh one for each.
struct scene {
    directory files;
    descriptor file = files.file("a", "the content of a file");
    descriptor other = files.file("b", "");
    descriptor root{open(files.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    descriptor watcher{inotify_init1(IN_CLOEXEC)};
    descriptor socket_end{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    pipe_ends ends = make_pipe();
    std::string a = files.path("a");
    std::string fresh = files.path("new");
    std::array<char, 512> memory{};

    scene() { write_all(ends.writer.get(), "12345"); }
};

// `place` is where the held page is; what has to be on it comes from `content`.
struct fault_case {
    const char *name;
    long number;
    std::string (*content)(const scene &);
    arguments (*values)(scene &, char *place);
};

std::string path_of_a(const scene &s) { return s.a; }
std::string path_of_new(const scene &s) { return s.fresh; }
std::string nothing(const scene & /*s*/) { return {}; }
std::string loopback_address(const scene & /*s*/) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return {reinterpret_cast<const char *>(&address), sizeof address};
}

template <class... argument> arguments all_of(argument... values) { return {as_argument(values)...}; }

#define LAIO_FAULT(call, what, ...)                                                                                    \
    fault_case {                                                                                                       \
#call "_with_" #what, SYS_##call, what,                                                                        \
            []([[maybe_unused]] scene & s, char *place) { return all_of(__VA_ARGS__); }                                \
    }

const std::vector<fault_case> &all_cases() {
    static const std::vector<fault_case> cases{
        LAIO_FAULT(stat, path_of_a, place, s.memory.data()),
        LAIO_FAULT(stat, nothing, s.a.c_str(), place),
        LAIO_FAULT(lstat, path_of_a, place, s.memory.data()),
        LAIO_FAULT(newfstatat, path_of_a, AT_FDCWD, place, s.memory.data(), 0),
        LAIO_FAULT(statx, path_of_a, AT_FDCWD, place, 0, STATX_BASIC_STATS, s.memory.data()),
        LAIO_FAULT(statx, nothing, AT_FDCWD, s.a.c_str(), 0, STATX_BASIC_STATS, place),
        LAIO_FAULT(access, path_of_a, place, R_OK),
        LAIO_FAULT(faccessat, path_of_a, AT_FDCWD, place, R_OK),
        LAIO_FAULT(faccessat2, path_of_a, AT_FDCWD, place, R_OK, 0),
        LAIO_FAULT(readlink, path_of_a, place, s.memory.data(), s.memory.size()),
        LAIO_FAULT(readlinkat, path_of_a, AT_FDCWD, place, s.memory.data(), s.memory.size()),
        LAIO_FAULT(getdents64, nothing, s.root.get(), place, page_size),
        LAIO_FAULT(statfs, path_of_a, place, s.memory.data()),
        LAIO_FAULT(fstatfs, nothing, s.file.get(), place),
        LAIO_FAULT(truncate, path_of_a, place, 3),
        LAIO_FAULT(rename, path_of_a, place, s.fresh.c_str()),
        LAIO_FAULT(rename, path_of_new, s.a.c_str(), place),
        LAIO_FAULT(renameat, path_of_new, AT_FDCWD, s.a.c_str(), AT_FDCWD, place),
        LAIO_FAULT(renameat2, path_of_new, AT_FDCWD, s.a.c_str(), AT_FDCWD, place, 0),
        LAIO_FAULT(unlink, path_of_a, place),
        LAIO_FAULT(unlinkat, path_of_a, AT_FDCWD, place, 0),
        LAIO_FAULT(rmdir, path_of_a, place),
        LAIO_FAULT(mkdir, path_of_new, place, 0700),
        LAIO_FAULT(mkdirat, path_of_new, AT_FDCWD, place, 0700),
        LAIO_FAULT(mknodat, path_of_new, AT_FDCWD, place, S_IFIFO | 0600, 0),
        LAIO_FAULT(link, path_of_new, s.a.c_str(), place),
        LAIO_FAULT(linkat, path_of_a, AT_FDCWD, place, AT_FDCWD, s.fresh.c_str(), 0),
        LAIO_FAULT(symlink, path_of_new, "a", place),
        LAIO_FAULT(symlinkat, path_of_a, place, s.root.get(), "new"),
        LAIO_FAULT(chmod, path_of_a, place, 0600),
        LAIO_FAULT(fchmodat, path_of_a, AT_FDCWD, place, 0600),
        LAIO_FAULT(chown, path_of_a, place, -1, -1),
        LAIO_FAULT(lchown, path_of_a, place, -1, -1),
        LAIO_FAULT(fchownat, path_of_a, AT_FDCWD, place, -1, -1, 0),
        LAIO_FAULT(utimensat, path_of_a, AT_FDCWD, place, nullptr, 0),
        LAIO_FAULT(utimensat, nothing, AT_FDCWD, s.a.c_str(), place, 0),
        LAIO_FAULT(setxattr, path_of_a, place, "user.color", "green", 5, 0),
        LAIO_FAULT(lsetxattr, path_of_a, place, "user.color", "green", 5, 0),
        LAIO_FAULT(fsetxattr, nothing, s.file.get(), "user.color", place, 5, 0),
        LAIO_FAULT(getxattr, path_of_a, place, "user.color", s.memory.data(), s.memory.size()),
        LAIO_FAULT(lgetxattr, path_of_a, place, "user.color", s.memory.data(), s.memory.size()),
        LAIO_FAULT(fgetxattr, path_of_a, s.file.get(), place, s.memory.data(), s.memory.size()),
        LAIO_FAULT(listxattr, path_of_a, place, s.memory.data(), s.memory.size()),
        LAIO_FAULT(llistxattr, path_of_a, place, s.memory.data(), s.memory.size()),
        LAIO_FAULT(removexattr, path_of_a, place, "user.color"),
        LAIO_FAULT(lremovexattr, path_of_a, place, "user.color"),
        LAIO_FAULT(fremovexattr, path_of_a, s.file.get(), place),
        LAIO_FAULT(chdir, path_of_a, place),
        LAIO_FAULT(name_to_handle_at, path_of_a, AT_FDCWD, place, s.memory.data(), s.memory.data() + 256, 0),
        LAIO_FAULT(inotify_add_watch, path_of_a, s.watcher.get(), place, IN_OPEN),
        LAIO_FAULT(sendfile, nothing, s.ends.writer.get(), s.file.get(), place, 5),
        LAIO_FAULT(splice, nothing, s.file.get(), place, s.ends.writer.get(), nullptr, 5, 0),
        LAIO_FAULT(copy_file_range, nothing, s.file.get(), place, s.other.get(), nullptr, 5, 0),
        LAIO_FAULT(ioctl, nothing, s.ends.reader.get(), FIONREAD, place),
        LAIO_FAULT(bind, loopback_address, s.socket_end.get(), place, sizeof(sockaddr_in)),
        LAIO_FAULT(futex_waitv, nothing, place, 1, 0, nullptr, CLOCK_MONOTONIC),
        LAIO_FAULT(mq_notify, nothing, -1, place),
        LAIO_FAULT(keyctl, nothing, 1, place),
        LAIO_FAULT(add_key, nothing, place, "x", "x", 1, 0),
        LAIO_FAULT(open_by_handle_at, nothing, -1, place, O_RDONLY),
    };
    return cases;
}

class page_faults : public contract_test {
protected:
    static void play(const fault_case &played, const missing_page &held);
};

void page_faults::play(const fault_case &played, const missing_page &held) {
    scene plainly;
    alignas(64) std::array<char, page_size> there{};
    const std::string content = played.content(plainly);
    content.copy(there.data(), there.size());
    const outcome expected = plain_call(played.number, played.values(plainly, there.data()));

    scene lazily;
    const rescue in_time{held};
    const pipe_ends beside = make_pipe();
    char byte = 0;
    call_record *reader = begin(SYS_read, beside.reader.get(), &byte, 1);
    call_record *call = begin_call(played.number, played.values(lazily, held.place()));
    ASSERT_FALSE(call->is_direct()) << call->result;
    held.await_fault();
    EXPECT_FALSE(call->complete);
    EXPECT_EQ(done(SYS_access, "/", 0), (outcome{0, 0}));
    write_all(beside.writer.get(), "x");
    EXPECT_EQ(finish(reader), (outcome{1, 0}));
    EXPECT_FALSE(call->complete);
    held.fill(played.content(lazily));
    const outcome result = finish(call);
    // a signal that is pending ends a listing after its first entries: getdents64(2) promises no more
    if (played.number == SYS_getdents64) EXPECT_TRUE(result.value > 0 && result.value <= expected.value) << result;
    else EXPECT_EQ(result, expected);
    EXPECT_EQ(laio_outstanding(), 0);
}

constexpr const char *not_to_be_had = "userfaultfd(2) with the kernel's own faults is not to be had: ";

// Each takes a tenth of a second where the thread that faults has to be waited for: all of them once, some with other engines.
TEST_P(page_faults, block_no_loop) {
    const std::size_t step = std::string_view{chosen_engine_set().name} == "default" ? 1 : 4;
    for (std::size_t index = 0; index < all_cases().size(); index += step) {
        const fault_case &one = all_cases()[index];
        SCOPED_TRACE(one.name);
        const missing_page held;
        if (!held.works()) GTEST_SKIP() << not_to_be_had << strerror(errno);
        play(one, held);
        if (HasFatalFailure()) return;
    }
}

// The ring that was closed leaves work to its thread, which it cannot do in a fault, nor sleep there: the call runs, and
// goes nowhere.
TEST_P(page_faults, block_no_loop_whose_ring_was_closed) {
    constexpr std::size_t loops = 10;
    for (std::size_t loop = 0; loop < loops; ++loop) {
        const missing_page held;
        if (!held.works()) GTEST_SKIP() << not_to_be_had << strerror(errno);
        restart_loop(options_of_set());
        play(all_cases().at(loop), held);
        if (HasFatalFailure()) return;
    }
}

LAIO_CONTRACT_SUITE(page_faults);

} // namespace
} // namespace laio::test
