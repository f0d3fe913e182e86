// More calls on names, status and attributes, those of older and newer kernels among them, and what writes a clean file.
#include "laziness/cases.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace laio::test {
namespace {

descriptor open_root(const stage &s) {
    return descriptor{open(s.root().path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

void play_older(stage &s) {
    const descriptor root = open_root(s);
    const std::string path = s.path("made");
    s.call(number_of("mknod"), path.c_str(), S_IFREG | 0600, 0);
    const std::array<long, 2> seconds{1000, 2000}; // struct utimbuf
    s.call(number_of("utime"), path.c_str(), seconds.data());
    const std::array<timeval, 2> times{timeval{3000, 0}, timeval{4000, 0}};
    s.call(number_of("futimesat"), root.get(), "made", times.data());
    alignas(8) std::array<char, 1024> entries{};
    s.call_for_value(number_of("getdents"), root.get(), entries.data(), entries.size());
    s.call(number_of("getdents"), root.get(), entries.data(), entries.size());
    s.call(number_of("ustat"), -1, entries.data());
}

void play_newer(stage &s) {
    const descriptor file = s.file("a", "content");
    const descriptor root = open_root(s);
    s.call(number_of("fchmodat2"), root.get(), "a", 0640, 0);
    s.note_status("a");
    const std::array<std::uint64_t, 2> range{0, 4096};
    std::array<std::uint64_t, 5> cached{};
    s.call(number_of("cachestat"), file.get(), range.data(), cached.data(), 0);
    std::array<std::uint64_t, 3> attributes{};
    s.call_for_value(number_of("file_getattr"), root.get(), "a", attributes.data(), sizeof attributes, 0);
    s.call(number_of("file_setattr"), root.get(), "absent", attributes.data(), sizeof attributes, 0);
    s.call_for_descriptor(number_of("memfd_secret"), O_CLOEXEC);
}

void play_handles(stage &s) {
    s.file("a", "content");
    const descriptor root = open_root(s);
    alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> memory{};
    auto *handle = reinterpret_cast<file_handle *>(memory.data());
    handle->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    s.call(SYS_name_to_handle_at, root.get(), "a", handle, &mount, 0);
    s.call_for_descriptor(SYS_open_by_handle_at, root.get(), handle, O_RDONLY | O_CLOEXEC);
    s.call(SYS_open_by_handle_at, -1, handle, O_RDONLY);
}

void play_more_attributes(stage &s) {
    const descriptor file = s.file("a", "");
    const std::string path = s.path("a");
    std::array<char, 64> value{};
    s.call(SYS_lsetxattr, path.c_str(), "user.color", "green", 5, 0);
    s.call(SYS_lgetxattr, path.c_str(), "user.color", value.data(), value.size());
    s.call(SYS_fsetxattr, file.get(), "user.shape", "round", 5, 0);
    s.call_for_value(SYS_llistxattr, path.c_str(), value.data(), value.size());
    s.call_for_value(SYS_flistxattr, file.get(), value.data(), value.size());
    s.call(SYS_lremovexattr, path.c_str(), "user.color");
    s.call(SYS_fremovexattr, file.get(), "user.shape");
    s.call(SYS_fremovexattr, file.get(), "user.shape");
}

void play_attributes_at(stage &s) {
    s.file("a", "");
    const descriptor root = open_root(s);
    struct {
        std::uint64_t value;
        std::uint32_t size;
        std::uint32_t flags;
    } asked{};
    std::array<char, 64> value{'b', 'l', 'u', 'e'};
    asked = {reinterpret_cast<std::uintptr_t>(value.data()), 4, 0};
    s.call(number_of("setxattrat"), root.get(), "a", 0, "user.color", &asked, sizeof asked);
    asked.size = value.size();
    s.call(number_of("getxattrat"), root.get(), "a", 0, "user.color", &asked, sizeof asked);
    s.note("value", value.data());
    s.call_for_value(number_of("listxattrat"), root.get(), "a", 0, value.data(), value.size());
    s.call(number_of("removexattrat"), root.get(), "a", 0, "user.color");
}

// A file in memory has nothing to wait for.
void play_clean_file(stage &s) {
    const descriptor file{memfd_create("clean", MFD_CLOEXEC)};
    write_all(file.get(), "content");
    s.call(SYS_fsync, file.get());
    s.call(SYS_fdatasync, file.get());
    s.call(SYS_sync_file_range, file.get(), 0, 7, 0);
    s.call(SYS_syncfs, -1);
    s.call(SYS_fallocate, file.get(), 0, 0, 5000);
    s.call(SYS_ftruncate, file.get(), 3);
    s.call(SYS_fadvise64, file.get(), 0, 0, POSIX_FADV_NORMAL);
    s.call(SYS_readahead, -1, 0, 4096);
}

void play_absent_files(stage &s) {
    const std::string absent = s.path("absent");
    s.call(SYS_chroot, absent.c_str());
    s.call(SYS_acct, absent.c_str());
    s.call(SYS_swapon, absent.c_str(), 0);
    s.call(SYS_swapoff, absent.c_str());
    s.call(SYS_quotactl, -1, absent.c_str(), 0, nullptr);
    s.call(number_of("quotactl_fd"), -1, 0, 0, nullptr);
}

} // namespace

std::span<const generality_case> lazy_file_cases() {
    static const std::vector<generality_case> cases{
        {"older_names",
         {number_of("mknod"), number_of("utime"), number_of("futimesat"), number_of("getdents"), number_of("ustat")},
         play_older},
        {"newer_names",
         {number_of("fchmodat2"), number_of("cachestat"), number_of("file_getattr"), number_of("file_setattr"),
          number_of("memfd_secret")},
         play_newer},
        {"handles", {SYS_name_to_handle_at, SYS_open_by_handle_at}, play_handles},
        {"more_attributes",
         {SYS_lsetxattr, SYS_lgetxattr, SYS_fsetxattr, SYS_llistxattr, SYS_flistxattr, SYS_lremovexattr,
          SYS_fremovexattr},
         play_more_attributes},
        {"attributes_at",
         {number_of("setxattrat"), number_of("getxattrat"), number_of("listxattrat"), number_of("removexattrat")},
         play_attributes_at},
        {"clean_file",
         {SYS_fsync, SYS_fdatasync, SYS_sync_file_range, SYS_syncfs, SYS_fallocate, SYS_ftruncate, SYS_fadvise64,
          SYS_readahead},
         play_clean_file},
        {"absent_files",
         {SYS_chroot, SYS_acct, SYS_swapon, SYS_swapoff, SYS_quotactl, number_of("quotactl_fd")},
         play_absent_files},
    };
    return cases;
}

} // namespace laio::test
