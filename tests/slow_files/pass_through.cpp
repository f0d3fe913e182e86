// See pass_through.hpp. Nothing is cached, here or in the kernel, so every call arrives; or, where the test says so, the kernel
// keeps what it was told, as it does of a disk: names, statuses and pages are asked for once, opening and closing never.
//
// A call waits in slices: a signal that tells of an interrupted caller may come just before the wait begins, and libfuse
// repeats it only after a second.
#include "pass_through.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace laio::test {
namespace {

int root = -1;
control *told = nullptr;

std::int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

const char *in_root(const char *path) { return path[1] == '\0' ? "." : path + 1; }

int result_of(long value) { return value < 0 ? -errno : static_cast<int>(value); }

int as_descriptor(const fuse_file_info *file) { return static_cast<int>(file->fh); }

// 0, or what the test wants it to fail with, or -EINTR: the caller was interrupted and the server is not deaf.
int linger(file_operation what) {
    constexpr std::int64_t slice_ns = 20'000'000;
    told->calls.at(index_of(what)).fetch_add(1);
    told->waiting.fetch_add(1);
    const std::int64_t began_ns = now_ns();
    int result = -static_cast<int>(told->fails_with.at(index_of(what)).load());
    bool is_interrupted = false;
    for (;;) {
        const std::int64_t takes_ns = std::int64_t{told->takes_ms.at(index_of(what)).load()} * 1'000'000;
        const std::int64_t left_ns = began_ns + takes_ns - now_ns();
        if (told->is_frozen.load() == 0 && left_ns <= 0) break;
        if (!is_interrupted && fuse_interrupted() != 0) {
            is_interrupted = true;
            told->interrupted.fetch_add(1);
        }
        if (is_interrupted && told->is_deaf.load() == 0) {
            result = -EINTR;
            break;
        }
        const timespec nap{0, left_ns > 0 && left_ns < slice_ns ? left_ns : slice_ns};
        nanosleep(&nap, nullptr);
    }
    told->waiting.fetch_sub(1);
    return result;
}

// What it takes, and then what it does.
template <class action> int slowly(file_operation what, action act) {
    const int interrupted = linger(what);
    return interrupted != 0 ? interrupted : act();
}

bool is_cached() { return told->is_cached.load() != 0; }

void *start(fuse_conn_info * /*connection*/, fuse_config *config) {
    constexpr double for_ever_s = 1e6;
    config->entry_timeout = config->attr_timeout = config->negative_timeout = is_cached() ? for_ever_s : 0;
    config->kernel_cache = is_cached() ? 1 : 0;
    config->hard_remove = 1; // an open file that is unlinked is not renamed instead
    // A call whose caller is interrupted gets a signal, for which libfuse sets no handler when it is told only here.
    config->intr = 1;
    config->intr_signal = SIGUSR1;
    std::signal(SIGUSR1, [](int) {});
    return nullptr;
}

int get_status(const char *path, struct stat *status, fuse_file_info *file) {
    return slowly(file_operation::getattr, [&] {
        if (file != nullptr && !is_cached()) return result_of(fstat(as_descriptor(file), status));
        return result_of(fstatat(root, in_root(path), status, AT_SYMLINK_NOFOLLOW));
    });
}

int check_access(const char *path, int mode) {
    return slowly(file_operation::access, [&] { return result_of(faccessat(root, in_root(path), mode, 0)); });
}

int read_link(const char *path, char *to, std::size_t size) {
    return slowly(file_operation::readlink, [&] {
        const ssize_t length = readlinkat(root, in_root(path), to, size - 1);
        if (length < 0) return -errno;
        to[length] = '\0';
        return 0;
    });
}

int make_node(const char *path, mode_t mode, dev_t device) {
    return slowly(file_operation::mknod, [&] { return result_of(mknodat(root, in_root(path), mode, device)); });
}

int make_folder(const char *path, mode_t mode) {
    return slowly(file_operation::mkdir, [&] { return result_of(mkdirat(root, in_root(path), mode)); });
}

int remove_file(const char *path) {
    return slowly(file_operation::unlink, [&] { return result_of(unlinkat(root, in_root(path), 0)); });
}

int remove_folder(const char *path) {
    return slowly(file_operation::rmdir, [&] { return result_of(unlinkat(root, in_root(path), AT_REMOVEDIR)); });
}

int make_symlink(const char *target, const char *path) {
    return slowly(file_operation::symlink, [&] { return result_of(symlinkat(target, root, in_root(path))); });
}

int move(const char *from, const char *to, unsigned flags) {
    return slowly(file_operation::rename,
                  [&] { return result_of(renameat2(root, in_root(from), root, in_root(to), flags)); });
}

int make_link(const char *from, const char *to) {
    return slowly(file_operation::link, [&] { return result_of(linkat(root, in_root(from), root, in_root(to), 0)); });
}

int change_mode(const char *path, mode_t mode, fuse_file_info * /*file*/) {
    return slowly(file_operation::chmod, [&] { return result_of(fchmodat(root, in_root(path), mode, 0)); });
}

int change_owner(const char *path, uid_t user, gid_t group, fuse_file_info * /*file*/) {
    return slowly(file_operation::chown,
                  [&] { return result_of(fchownat(root, in_root(path), user, group, AT_SYMLINK_NOFOLLOW)); });
}

int cut(const char *path, off_t size, fuse_file_info * /*file*/) {
    return slowly(file_operation::truncate, [&] {
        const int opened = openat(root, in_root(path), O_WRONLY | O_CLOEXEC);
        if (opened < 0) return -errno;
        const int result = result_of(ftruncate(opened, size));
        close(opened);
        return result;
    });
}

int set_times(const char *path, const timespec *times, fuse_file_info * /*file*/) {
    return slowly(file_operation::utimens,
                  [&] { return result_of(utimensat(root, in_root(path), times, AT_SYMLINK_NOFOLLOW)); });
}

int open_with(const char *path, fuse_file_info *file, mode_t mode) {
    // O_DIRECT is between the caller and us.
    const int flags = (file->flags & ~O_DIRECT) | O_CLOEXEC;
    const int opened = openat(root, in_root(path), flags, mode);
    if (opened < 0) return -errno;
    file->fh = static_cast<std::uint64_t>(opened);
    return 0;
}

// -ENOSYS: the kernel opens by itself, from then on.
int open_file(const char *path, fuse_file_info *file) {
    if (is_cached()) return -ENOSYS;
    return slowly(file_operation::open, [&] { return open_with(path, file, 0); });
}

int create_file(const char *path, mode_t mode, fuse_file_info *file) {
    return slowly(file_operation::create, [&] { return open_with(path, file, mode); });
}

// The kernel has opened it.
int read_by_name(const char *path, char *to, std::size_t size, off_t offset) {
    const int opened = openat(root, in_root(path), O_RDONLY | O_CLOEXEC);
    if (opened < 0) return -errno;
    const int result = result_of(pread(opened, to, size, offset));
    close(opened);
    return result;
}

int read_file(const char *path, char *to, std::size_t size, off_t offset, fuse_file_info *file) {
    return slowly(file_operation::read, [&] {
        if (is_cached()) return read_by_name(path, to, size, offset);
        return result_of(pread(as_descriptor(file), to, size, offset));
    });
}

int write_file(const char * /*path*/, const char *from, std::size_t size, off_t offset, fuse_file_info *file) {
    return slowly(file_operation::write, [&] { return result_of(pwrite(as_descriptor(file), from, size, offset)); });
}

int get_space(const char * /*path*/, struct statvfs *space) {
    return slowly(file_operation::statfs, [&] { return result_of(fstatvfs(root, space)); });
}

int flush_file(const char * /*path*/, fuse_file_info * /*file*/) {
    if (is_cached()) return -ENOSYS;
    return slowly(file_operation::flush, [] { return 0; });
}

int release_file(const char * /*path*/, fuse_file_info *file) {
    if (!is_cached()) close(as_descriptor(file));
    return 0;
}

// The time is told; a real disk's would come on top.
int synchronise(const char * /*path*/, int /*data_only*/, fuse_file_info * /*file*/) {
    return slowly(file_operation::fsync, [] { return 0; });
}

// Attributes are not kept: not every file system below would.
int set_attribute(const char * /*path*/, const char * /*name*/, const char * /*value*/, std::size_t /*size*/,
                  int /*flags*/) {
    return slowly(file_operation::setxattr, [] { return 0; });
}

int get_attribute(const char * /*path*/, const char *name, char *to, std::size_t size) {
    if (name[0] != 'u') return -ENODATA; // only the "user." ones: the kernel itself asks for others
    return slowly(file_operation::getxattr, [&] {
        if (size == 0) return 1;
        to[0] = 'v';
        return 1;
    });
}

int list_attributes(const char * /*path*/, char * /*to*/, std::size_t /*size*/) {
    return slowly(file_operation::listxattr, [] { return 0; });
}

int remove_attribute(const char * /*path*/, const char * /*name*/) {
    return slowly(file_operation::removexattr, [] { return 0; });
}

int open_folder(const char *path, fuse_file_info *file) {
    return slowly(file_operation::opendir, [&] {
        const int opened = openat(root, in_root(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (opened < 0) return -errno;
        DIR *folder = fdopendir(opened);
        file->fh = reinterpret_cast<std::uint64_t>(folder);
        return 0;
    });
}

int read_folder(const char * /*path*/, void *to, fuse_fill_dir_t add, off_t /*offset*/, fuse_file_info *file,
                fuse_readdir_flags /*flags*/) {
    return slowly(file_operation::readdir, [&] {
        auto *folder = reinterpret_cast<DIR *>(file->fh);
        rewinddir(folder);
        while (const dirent *entry = readdir(folder)) {
            struct stat status {};
            status.st_ino = entry->d_ino;
            status.st_mode = static_cast<mode_t>(entry->d_type) << 12U;
            if (add(to, entry->d_name, &status, 0, fuse_fill_dir_flags{}) != 0) break;
        }
        return 0;
    });
}

int release_folder(const char * /*path*/, fuse_file_info *file) {
    closedir(reinterpret_cast<DIR *>(file->fh));
    return 0;
}

int synchronise_folder(const char * /*path*/, int /*data_only*/, fuse_file_info * /*file*/) {
    return slowly(file_operation::fsyncdir, [] { return 0; });
}

// Every lock is granted, in its time. Where there are locks, closing asks for them to be released.
int lock_part(const char * /*path*/, fuse_file_info * /*file*/, int /*command*/, struct flock * /*lock*/) {
    if (is_cached()) return -ENOSYS;
    return slowly(file_operation::lock, [] { return 0; });
}

int lock_whole(const char * /*path*/, fuse_file_info * /*file*/, int /*operation*/) {
    return slowly(file_operation::flock, [] { return 0; });
}

int control_device(const char * /*path*/, unsigned /*command*/, void * /*argument*/, fuse_file_info * /*file*/,
                   unsigned /*flags*/, void * /*data*/) {
    return slowly(file_operation::ioctl, [] { return 0; });
}

int allocate(const char * /*path*/, int mode, off_t offset, off_t length, fuse_file_info *file) {
    return slowly(file_operation::fallocate,
                  [&] { return mode != 0 ? -EOPNOTSUPP : -posix_fallocate(as_descriptor(file), offset, length); });
}

ssize_t copy_range(const char * /*from_path*/, fuse_file_info *from, off_t from_offset, const char * /*to_path*/,
                   fuse_file_info *to, off_t to_offset, std::size_t size, int flags) {
    return slowly(file_operation::copy_file_range, [&] {
        return result_of(copy_file_range(as_descriptor(from), &from_offset, as_descriptor(to), &to_offset, size,
                                         static_cast<unsigned>(flags)));
    });
}

off_t seek(const char * /*path*/, off_t offset, int whence, fuse_file_info *file) {
    const int interrupted = linger(file_operation::lseek);
    if (interrupted != 0) return interrupted;
    const off_t found = lseek(as_descriptor(file), offset, whence);
    return found < 0 ? -errno : found;
}

fuse_operations make_operations() {
    fuse_operations all{};
    all.init = start;
    all.getattr = get_status;
    all.access = check_access;
    all.readlink = read_link;
    all.mknod = make_node;
    all.mkdir = make_folder;
    all.unlink = remove_file;
    all.rmdir = remove_folder;
    all.symlink = make_symlink;
    all.rename = move;
    all.link = make_link;
    all.chmod = change_mode;
    all.chown = change_owner;
    all.truncate = cut;
    all.utimens = set_times;
    all.open = open_file;
    all.create = create_file;
    all.read = read_file;
    all.write = write_file;
    all.statfs = get_space;
    all.flush = flush_file;
    all.release = release_file;
    all.fsync = synchronise;
    all.setxattr = set_attribute;
    all.getxattr = get_attribute;
    all.listxattr = list_attributes;
    all.removexattr = remove_attribute;
    all.opendir = open_folder;
    all.readdir = read_folder;
    all.releasedir = release_folder;
    all.fsyncdir = synchronise_folder;
    all.lock = lock_part;
    all.flock = lock_whole;
    all.ioctl = control_device;
    all.fallocate = allocate;
    all.copy_file_range = copy_range;
    all.lseek = seek;
    return all;
}

} // namespace

void pass_through_to(int folder, control &shared) {
    root = folder;
    told = &shared;
}

const fuse_operations &pass_through_operations() {
    static const fuse_operations all = make_operations();
    return all;
}

} // namespace laio::test
