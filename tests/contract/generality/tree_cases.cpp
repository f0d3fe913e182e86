// Calls on names, directories, status and attributes: stat(2), rename(2), unlink(2), getdents64(2), xattr(7) and their kin.
#include "generality/cases.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace laio::test {
namespace {

void note_status_struct(stage &s, const struct stat &status) {
    s.note("mode", static_cast<long>(status.st_mode));
    s.note("links", static_cast<long>(status.st_nlink));
    s.note("size", S_ISDIR(status.st_mode) ? 0 : status.st_size);
    s.note("owner", static_cast<long>(status.st_uid));
    s.note("block size", status.st_blksize);
}

descriptor open_root(const stage &s) {
    return descriptor{open(s.root().path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

void play_status(stage &s) {
    const descriptor file = s.file("a", "twelve bytes");
    const descriptor root = open_root(s);
    const std::string path = s.path("a");
    const std::string absent = s.path("absent");
    const std::string name = s.path("link");
    EXPECT_EQ(symlink("a", name.c_str()), 0);
    struct stat status {};
    s.call(SYS_stat, path.c_str(), &status);
    note_status_struct(s, status);
    s.call(SYS_stat, absent.c_str(), &status);
    s.call(SYS_stat, path.c_str(), nullptr);
    s.call(SYS_lstat, name.c_str(), &status);
    note_status_struct(s, status);
    s.call(SYS_fstat, file.get(), &status);
    note_status_struct(s, status);
    s.call(SYS_fstat, -1, &status);
    s.call(SYS_newfstatat, root.get(), "a", &status, 0);
    note_status_struct(s, status);
    s.call(SYS_newfstatat, file.get(), "", &status, AT_EMPTY_PATH);
    note_status_struct(s, status);
    struct statx extended {};
    s.call(SYS_statx, root.get(), "a", 0, STATX_BASIC_STATS, &extended);
    s.note("mode", static_cast<long>(extended.stx_mode));
    s.note("size", static_cast<long>(extended.stx_size));
    s.call(SYS_statx, root.get(), "absent", 0, STATX_BASIC_STATS, &extended);
}

void play_access(stage &s) {
    s.file("a", "");
    const descriptor root = open_root(s);
    const std::string path = s.path("a");
    s.call(SYS_access, path.c_str(), R_OK | W_OK);
    s.call(SYS_access, path.c_str(), X_OK);
    s.call(SYS_faccessat, root.get(), "absent", F_OK);
    s.call(SYS_faccessat2, root.get(), "a", R_OK, AT_EACCESS);
}

void play_directories(stage &s) {
    const descriptor root = open_root(s);
    const std::string path = s.path("d");
    s.call(SYS_mkdir, path.c_str(), 0750);
    s.call(SYS_mkdir, path.c_str(), 0750);
    s.note_status("d");
    s.call(SYS_mkdirat, root.get(), "d/e", 0700);
    s.call(SYS_rmdir, path.c_str());
    s.call(SYS_unlinkat, root.get(), "d/e", AT_REMOVEDIR);
    s.call(SYS_rmdir, path.c_str());
    s.note_status("d");
    s.call(SYS_mknodat, root.get(), "fifo", S_IFIFO | 0600, 0);
    s.note_status("fifo");
}

void play_unlink(stage &s) {
    s.file("a", "");
    const descriptor root = open_root(s);
    const std::string path = s.path("a");
    s.call(SYS_unlink, path.c_str());
    s.call(SYS_unlink, path.c_str());
    s.call(SYS_unlinkat, root.get(), "a", 0);
    s.note_status("a");
}

void play_rename(stage &s) {
    s.file("a", "of a");
    s.file("b", "of b");
    const descriptor root = open_root(s);
    const std::string from = s.path("a");
    const std::string to = s.path("c");
    s.call(SYS_rename, from.c_str(), to.c_str());
    s.call(SYS_rename, from.c_str(), to.c_str());
    s.call(SYS_renameat, root.get(), "c", root.get(), "d");
    s.call(SYS_renameat2, root.get(), "d", root.get(), "b", RENAME_NOREPLACE);
    s.call(SYS_renameat2, root.get(), "d", root.get(), "b", RENAME_EXCHANGE);
    s.note_content("b");
    s.note_content("d");
}

void play_links(stage &s) {
    s.file("a", "content");
    const descriptor root = open_root(s);
    const std::string path = s.path("a");
    const std::string hard = s.path("hard");
    const std::string soft = s.path("soft");
    s.call(SYS_link, path.c_str(), hard.c_str());
    s.call(SYS_linkat, root.get(), "a", root.get(), "harder", 0);
    s.call(SYS_symlink, "a", soft.c_str());
    s.call(SYS_symlinkat, "soft", root.get(), "softer");
    s.note_status("a");
    s.note_content("softer");
    std::array<char, 32> target{};
    s.call(SYS_readlink, soft.c_str(), target.data(), target.size());
    s.note("target", target.data());
    s.call(SYS_readlinkat, root.get(), "softer", target.data(), 3);
    s.note("target", target.data());
    s.call(SYS_readlink, path.c_str(), target.data(), target.size());
}

void play_modes(stage &s) {
    const descriptor file = s.file("a", "");
    const descriptor root = open_root(s);
    const std::string path = s.path("a");
    s.call(SYS_chmod, path.c_str(), 0400);
    s.note_status("a");
    s.call(SYS_fchmod, file.get(), 0604);
    s.note_status("a");
    s.call(SYS_fchmodat, root.get(), "a", 0777);
    s.note_status("a");
    s.call(SYS_chown, path.c_str(), getuid(), getgid());
    s.call(SYS_fchown, file.get(), -1, -1);
    s.call(SYS_fchownat, root.get(), "absent", -1, -1, 0);
    s.call(SYS_lchown, path.c_str(), -1, -1);
}

void play_times(stage &s) {
    const descriptor file = s.file("a", "");
    const descriptor root = open_root(s);
    const std::string path = s.path("a");
    const std::array<timespec, 2> times{timespec{1000, 5}, timespec{2000, 7}};
    s.call(SYS_utimensat, root.get(), "a", times.data(), 0);
    struct stat status {};
    EXPECT_EQ(fstat(file.get(), &status), 0);
    s.note("modified", status.st_mtim.tv_sec);
    const std::array<timeval, 2> old_times{timeval{3000, 0}, timeval{4000, 0}};
    s.call(SYS_utimes, path.c_str(), old_times.data());
    EXPECT_EQ(fstat(file.get(), &status), 0);
    s.note("modified", status.st_mtim.tv_sec);
}

void play_getdents64(stage &s) {
    for (const char *name : {"one", "two", "three"}) s.file(name, "");
    const descriptor root = open_root(s);
    alignas(8) std::array<char, 1024> buffer{};
    const long size = s.call_for_value(SYS_getdents64, root.get(), buffer.data(), buffer.size());
    std::set<std::string> names;
    for (long place = 0; place < size;) {
        const auto *entry = reinterpret_cast<const dirent64 *>(buffer.data() + place);
        names.insert(entry->d_name);
        place += entry->d_reclen;
    }
    for (const std::string &name : names) s.note("entry", name);
    s.call(SYS_getdents64, root.get(), buffer.data(), buffer.size());
    s.call(SYS_getdents64, root.get(), buffer.data(), 1);
}

void play_attributes(stage &s) {
    const descriptor file = s.file("a", "");
    const std::string path = s.path("a");
    std::array<char, 64> value{};
    s.call(SYS_setxattr, path.c_str(), "user.color", "green", 5, 0);
    s.call(SYS_setxattr, path.c_str(), "user.color", "green", 5, XATTR_CREATE);
    s.call(SYS_getxattr, path.c_str(), "user.color", value.data(), value.size());
    s.note("value", value.data());
    s.call(SYS_fsetxattr, file.get(), "user.size", "9", 1, 0);
    s.call(SYS_fgetxattr, file.get(), "user.size", value.data(), value.size());
    s.note("value", value.data());
    s.call_for_value(SYS_listxattr, path.c_str(), value.data(), value.size());
    s.call(SYS_removexattr, path.c_str(), "user.color");
    s.call(SYS_removexattr, path.c_str(), "user.color");
    s.call(SYS_lgetxattr, path.c_str(), "user.color", value.data(), value.size());
}

void play_file_system(stage &s) {
    const descriptor root = open_root(s);
    const std::string path = s.root().path();
    struct statfs status {};
    s.call(SYS_statfs, path.c_str(), &status);
    s.note("type", static_cast<long>(status.f_type));
    s.note("name length", static_cast<long>(status.f_namelen));
    s.call(SYS_fstatfs, root.get(), &status);
    s.note("type", static_cast<long>(status.f_type));
    s.call(SYS_fstatfs, -1, &status);
}

void play_working_directory(stage &s) {
    std::array<char, 512> path{};
    s.call(SYS_getcwd, path.data(), path.size());
    s.note("path", path.data());
    s.call(SYS_getcwd, path.data(), 1);
    const descriptor before{open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const std::string root = s.root().path();
    s.file("here", "");
    s.call(SYS_chdir, root.c_str());
    s.call(SYS_access, "here", F_OK);
    s.call(SYS_fchdir, before.get());
    s.call(SYS_access, "here", F_OK);
}

void play_umask(stage &s) {
    s.call(SYS_umask, 077);
    s.file("a", "");
    s.note_status("a");
    s.call(SYS_umask, 022);
}

} // namespace

std::span<const generality_case> tree_cases() {
    static const std::vector<generality_case> cases{
        {"status", {SYS_stat, SYS_lstat, SYS_fstat, SYS_newfstatat, SYS_statx}, play_status},
        {"access", {SYS_access, SYS_faccessat, SYS_faccessat2}, play_access},
        {"directories", {SYS_mkdir, SYS_mkdirat, SYS_rmdir, SYS_mknodat}, play_directories},
        {"unlink", {SYS_unlink, SYS_unlinkat}, play_unlink},
        {"rename", {SYS_rename, SYS_renameat, SYS_renameat2}, play_rename},
        {"links", {SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat, SYS_readlink, SYS_readlinkat}, play_links},
        {"modes", {SYS_chmod, SYS_fchmod, SYS_fchmodat, SYS_chown, SYS_fchown, SYS_lchown, SYS_fchownat}, play_modes},
        {"times", {SYS_utimensat, SYS_utimes}, play_times},
        {"getdents64", {SYS_getdents64}, play_getdents64},
        {"attributes", {SYS_setxattr, SYS_getxattr, SYS_fgetxattr, SYS_listxattr, SYS_removexattr}, play_attributes},
        {"file_system", {SYS_statfs, SYS_fstatfs}, play_file_system},
        {"working_directory", {SYS_getcwd, SYS_chdir, SYS_fchdir}, play_working_directory},
        {"umask", {SYS_umask}, play_umask},
    };
    return cases;
}

} // namespace laio::test
