#include "path.hpp"

#include "kernel/file.hpp"
#include "kernel/file_systems.hpp"
#include "kernel/system_call.hpp"
#include "trial.hpp"

#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <linux/openat2.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/uio.h>

namespace probe {
namespace {

class descriptor {
public:
    explicit descriptor(int number) : number_{number}, error_{number < 0 ? errno : 0} {}
    ~descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;

    [[nodiscard]] bool is_open() const { return number_ >= 0; }
    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] int error() const { return error_; } // why it is not

private:
    int number_;
    int error_;
};

const char *kind_name(laio::file_kind kind) {
    switch (kind) {
    case laio::file_kind::regular: return "regular file";
    case laio::file_kind::directory: return "directory";
    case laio::file_kind::pipe: return "FIFO";
    case laio::file_kind::socket: return "socket";
    case laio::file_kind::block: return "block device";
    case laio::file_kind::character: return "character device";
    case laio::file_kind::link: return "symbolic link";
    default: return "other";
    }
}

// ---- Where it is mounted -----------------------------------------------------------------------------------------

struct mount {
    std::uint64_t id;
    std::string device;
    std::string point;
    std::string type;
};

// Spaces and the like stand as \040 in /proc/self/mountinfo.
std::string unescape(const std::string &text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string digits = text[i] == '\\' ? text.substr(i + 1, 3) : "";
        const bool is_escape = digits.size() == 3 && digits.find_first_not_of("01234567") == std::string::npos;
        plain += is_escape ? static_cast<char>(std::stoi(digits, nullptr, 8)) : text[i];
        i += is_escape ? 3 : 0;
    }
    return plain;
}

std::vector<mount> read_mounts() {
    std::vector<mount> mounts;
    std::ifstream file("/proc/self/mountinfo");
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        mount one{};
        std::string skipped;
        fields >> one.id >> skipped >> one.device >> skipped >> one.point;
        while (fields >> skipped && skipped != "-") {}
        if (fields >> one.type) {
            one.point = unescape(one.point);
            mounts.push_back(one);
        }
    }
    return mounts;
}

// By the mount's own number where the kernel tells it (5.8): a btrfs subvolume has a device that is in no list.
void find_mount(const descriptor &named, const laio::file_identity &file, path_report &report) {
    struct statx status {};
    constexpr unsigned mount_id = 0x1000; // STATX_MNT_ID
    const bool has_id = statx(named.number(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, mount_id, &status) == 0 &&
                        (status.stx_mask & mount_id) != 0;
    const std::string device = std::to_string(file.device_major) + ":" + std::to_string(file.device_minor);
    for (const mount &one : read_mounts()) {
        if (has_id ? one.id != status.stx_mnt_id : one.device != device) continue;
        report.file_system = one.type;
        report.mount_point = one.point;
        return;
    }
}

// ---- What it answers ---------------------------------------------------------------------------------------------

verdict not_asked(std::string reason, int error = 0) { return {state::not_asked, error, 0, std::move(reason)}; }

// Makes one system call in a child; its result is what we want to know.
template <class question> verdict ask(question make) {
    const auto got = ask_in_child(make);
    if (got.signal != 0 || got.error != 0) return no_answer(got.signal, got.error);
    if (got.value >= 0) return {state::usable, 0, 0, {}};
    const int error = static_cast<int>(-got.value);
    if (error == EAGAIN) return {state::usable, error, 0, "it would have blocked"};
    const bool refuses = error == EOPNOTSUPP || error == EINVAL;
    return {state::unusable, error, 0, refuses ? "the file system does not have it" : ""};
}

verdict ask_read(const descriptor &file) {
    return ask([&] {
        char byte = 0;
        const iovec one{&byte, 1};
        return laio::system_call(SYS_preadv2, file.number(), laio::word(&one), 1, 0, 0, RWF_NOWAIT);
    });
}

verdict ask_write(const descriptor &file) {
    return ask([&] {
        char byte = 'l';
        const iovec one{&byte, 1};
        return laio::system_call(SYS_pwritev2, file.number(), laio::word(&one), 1, 0, 0, RWF_NOWAIT);
    });
}

// The name is looked up first, so that the kernel has it if the file system lets it keep names at all.
verdict ask_open(const std::string &path) {
    verdict answer = ask([&] {
        const long named = laio::system_call(SYS_openat, AT_FDCWD, laio::word(path.c_str()), O_PATH | O_CLOEXEC);
        if (named < 0) return named;
        open_how how{};
        how.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        how.resolve = RESOLVE_CACHED;
        return laio::system_call(SYS_openat2, AT_FDCWD, laio::word(path.c_str()), laio::word(&how), sizeof how);
    });
    if (answer.error == EAGAIN)
        answer = {state::unusable, EAGAIN, 0, "not answered from memory, though the name was just looked up"};
    else if (answer.error == EACCES || answer.error == EPERM) answer = not_asked("it may not be opened", answer.error);
    return answer;
}

void try_file(const descriptor &file, path_report &report, bool may_write) {
    if (may_write) {
        // over a byte that is there: space for a new one may have to be searched for
        if (pwrite(file.number(), "l", 1, 0) == 1) report.write = ask_write(file);
        else report.write = not_asked("a plain write failed", errno);
    }
    report.read = ask_read(file);
}

// A file that nobody else can see; where the file system cannot make one, a file whose name is gone at once.
int make_file_in(const std::string &directory) {
    int file = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)) return file;
    std::string name = directory + "/.laio-probe-XXXXXX";
    file = mkostemp(name.data(), O_CLOEXEC);
    if (file >= 0) unlink(name.c_str());
    return file;
}

void try_directory(path_report &report) {
    const descriptor file(make_file_in(report.path));
    if (file.is_open()) return try_file(file, report, true);
    report.read = not_asked("no file can be made there; name a file", file.error());
    report.write = not_asked("no file can be made there", file.error());
}

// Without a change to its time of access, where that is ours to ask for.
int open_to_read(const std::string &path) {
    constexpr int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    const int file = open(path.c_str(), flags | O_NOATIME);
    return file >= 0 || errno != EPERM ? file : open(path.c_str(), flags);
}

void try_regular(path_report &report) {
    const descriptor file(open_to_read(report.path));
    if (file.is_open()) try_file(file, report, false);
    else report.read = not_asked("it cannot be opened", file.error());
    report.write = not_asked("it would change the file; name its directory");
}

// What is not usable at all is not asked of a file.
void withhold(verdict &answer, const verdict &feature, const char *name) {
    if (feature.is != state::usable) answer = not_asked(std::string(name) + " is not usable");
}

} // namespace

path_report examine_path(const std::string &path, const machine &here) {
    path_report report;
    report.path = path;
    const descriptor named(open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!named.is_open()) {
        report.error = named.error();
        return report;
    }
    laio::file_identity file{};
    if (const long r = laio::identify(named.number(), file); r < 0) {
        report.error = static_cast<int>(-r);
        return report;
    }
    report.kind = kind_name(file.kind);
    report.is_local = laio::file_systems{}.is_local(file.device_major, file.device_minor);
    find_mount(named, file, report);

    const bool is_directory = file.kind == laio::file_kind::directory;
    if (!is_directory && file.kind != laio::file_kind::regular) {
        report.read = report.open = report.write = not_asked("it is no file and no directory");
        return report;
    }
    if (here.nowait.is == state::usable) is_directory ? try_directory(report) : try_regular(report);
    if (here.cached.is == state::usable) report.open = ask_open(path);
    withhold(report.read, here.nowait, "RWF_NOWAIT");
    withhold(report.write, here.nowait, "RWF_NOWAIT");
    withhold(report.open, here.cached, "RESOLVE_CACHED");
    return report;
}

} // namespace probe
