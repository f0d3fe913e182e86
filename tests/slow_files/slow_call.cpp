// See slow_call.hpp.
#include "slow_call.hpp"

#include <cstring>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr std::size_t file_size = std::size_t{64} * 1024;
constexpr std::size_t piece = 4096;

template <class... argument> arguments call_with(argument... values) { return arguments{as_argument(values)...}; }

} // namespace

scene::scene(const slow_files &files, unsigned number)
    : folder{files.path("scene_" + std::to_string(number))}, file_path{path("file")}, link_path{path("link")},
      below_path{path("below")}, new_path{path("new")}, pipe{make_pipe()} {
    EXPECT_EQ(mkdir(folder.c_str(), 0700), 0) << std::strerror(errno);
    EXPECT_EQ(mkdir(below_path.c_str(), 0700), 0);
    EXPECT_EQ(::symlink("file", link_path.c_str()), 0);
    file = descriptor{open(file_path.c_str(), O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600)};
    cached_file = descriptor{open(file_path.c_str(), O_RDWR | O_CLOEXEC)};
    write_all(file.get(), pattern(file_size)); // and nothing of it is in memory
    // Linux 6.18 learns at the first copy_file_range(2) which form of it the server knows; of several at once some are then
    // made without the server.
    auto end = static_cast<off_t>(file_size);
    off_t begin = 0;
    EXPECT_EQ(copy_file_range(file.get(), &begin, cached_file.get(), &end, 1, 0), 1);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
    directory = descriptor{open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    offset = static_cast<long>(file_size) / 2;
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
}

void slow_call::clean_up(scene &where, outcome result) const {
    if (is == trait::opens && result.value >= 0) close(static_cast<int>(result.value));
    if (is == trait::closes) where.cached_file.release();
}

std::span<const slow_call> slow_calls() {
    using what = file_operation;
    using trait = slow_call::trait;
    static const std::vector<slow_call> calls{
        {"open", what::open, SYS_openat,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), O_RDONLY | O_CLOEXEC); }, trait::opens},
        {"open, O_CREAT", what::create, SYS_openat,
         [](scene &s) { return call_with(AT_FDCWD, s.new_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); },
         trait::opens},
        {"open, path", what::getattr, SYS_openat,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), O_RDONLY | O_CLOEXEC); }, trait::opens},
        {"opendir", what::opendir, SYS_openat,
         [](scene &s) { return call_with(AT_FDCWD, s.folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); },
         trait::opens},
        {"close", what::flush, SYS_close, [](scene &s) { return call_with(s.cached_file.get()); }, trait::closes},
        {"stat", what::getattr, SYS_newfstatat,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), &s.status, 0); }},
        {"statx", what::getattr, SYS_statx,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), 0, STATX_BASIC_STATS, s.buffer.data()); }},
        {"fstat", what::getattr, SYS_fstat, [](scene &s) { return call_with(s.file.get(), &s.status); }},
        {"access", what::access, SYS_faccessat,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), R_OK); }},
        {"statfs", what::statfs, SYS_fstatfs, [](scene &s) { return call_with(s.file.get(), s.buffer.data()); }},
        {"readlink", what::readlink, SYS_readlinkat,
         [](scene &s) { return call_with(AT_FDCWD, s.link_path.c_str(), s.buffer.data(), s.buffer.size()); }},
        {"getdents", what::readdir, SYS_getdents64,
         [](scene &s) { return call_with(s.directory.get(), s.buffer.data(), s.buffer.size()); }},
        {"read, direct", what::read, SYS_read,
         [](scene &s) { return call_with(s.file.get(), s.buffer.data(), piece); }},
        {"pread, page cache", what::read, SYS_pread64,
         [](scene &s) { return call_with(s.cached_file.get(), s.buffer.data(), piece, 0); }, trait::may_be_held},
        {"write, direct", what::write, SYS_write,
         [](scene &s) { return call_with(s.file.get(), s.buffer.data(), piece); }, trait::may_be_held},
        {"pwrite, page cache", what::write, SYS_pwrite64,
         [](scene &s) { return call_with(s.cached_file.get(), s.buffer.data(), piece, 0); }},
        {"sendfile", what::read, SYS_sendfile,
         [](scene &s) { return call_with(s.pipe.writer.get(), s.cached_file.get(), nullptr, piece); },
         trait::may_be_held},
        {"splice", what::read, SYS_splice,
         [](scene &s) { return call_with(s.cached_file.get(), &s.offset, s.pipe.writer.get(), nullptr, piece, 0); },
         trait::may_be_held},
        {"copy_file_range", what::copy_file_range, SYS_copy_file_range,
         [](scene &s) { return call_with(s.file.get(), nullptr, s.cached_file.get(), &s.offset, piece, 0); }},
        {"lseek, SEEK_DATA", what::lseek, SYS_lseek, [](scene &s) { return call_with(s.file.get(), 0, SEEK_DATA); }},
        {"fsync", what::fsync, SYS_fsync, [](scene &s) { return call_with(s.file.get()); }},
        {"fdatasync", what::fsync, SYS_fdatasync, [](scene &s) { return call_with(s.file.get()); }},
        {"fsync, directory", what::fsyncdir, SYS_fsync, [](scene &s) { return call_with(s.directory.get()); }},
        {"truncate", what::truncate, SYS_truncate, [](scene &s) { return call_with(s.file_path.c_str(), 100); }},
        {"ftruncate", what::truncate, SYS_ftruncate, [](scene &s) { return call_with(s.file.get(), 100); }},
        {"fallocate", what::fallocate, SYS_fallocate, [](scene &s) { return call_with(s.file.get(), 0, 0, 100); }},
        {"chmod", what::chmod, SYS_fchmodat, [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), 0640); }},
        {"chown", what::chown, SYS_fchownat,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), getuid(), getgid(), 0); }},
        {"utimensat", what::utimens, SYS_utimensat,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), s.times.data(), 0); }},
        {"unlink", what::unlink, SYS_unlinkat, [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), 0); }},
        {"rmdir", what::rmdir, SYS_unlinkat,
         [](scene &s) { return call_with(AT_FDCWD, s.below_path.c_str(), AT_REMOVEDIR); }},
        {"mkdir", what::mkdir, SYS_mkdirat, [](scene &s) { return call_with(AT_FDCWD, s.new_path.c_str(), 0700); }},
        {"mknod", what::mknod, SYS_mknodat,
         [](scene &s) { return call_with(AT_FDCWD, s.new_path.c_str(), S_IFIFO | 0600, 0); }},
        {"rename", what::rename, SYS_renameat2,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), AT_FDCWD, s.new_path.c_str(), 0); }},
        {"link", what::link, SYS_linkat,
         [](scene &s) { return call_with(AT_FDCWD, s.file_path.c_str(), AT_FDCWD, s.new_path.c_str(), 0); }},
        {"symlink", what::symlink, SYS_symlinkat,
         [](scene &s) { return call_with("file", AT_FDCWD, s.new_path.c_str()); }},
        {"setxattr", what::setxattr, SYS_setxattr,
         [](scene &s) { return call_with(s.file_path.c_str(), "user.a", "v", 1, 0); }},
        {"getxattr", what::getxattr, SYS_getxattr,
         [](scene &s) { return call_with(s.file_path.c_str(), "user.a", s.buffer.data(), 10); }},
        {"listxattr", what::listxattr, SYS_listxattr,
         [](scene &s) { return call_with(s.file_path.c_str(), s.buffer.data(), 10); }},
        {"removexattr", what::removexattr, SYS_removexattr,
         [](scene &s) { return call_with(s.file_path.c_str(), "user.a"); }},
        {"flock", what::flock, SYS_flock, [](scene &s) { return call_with(s.file.get(), LOCK_EX); }},
        {"fcntl, F_SETLK", what::lock, SYS_fcntl, [](scene &s) { return call_with(s.file.get(), F_SETLK, &s.lock); }},
        {"fcntl, F_SETLKW", what::lock, SYS_fcntl, [](scene &s) { return call_with(s.file.get(), F_SETLKW, &s.lock); }},
        {"ioctl", what::ioctl, SYS_ioctl, [](scene &s) { return call_with(s.file.get(), TCGETS, s.buffer.data()); }},
    };
    return calls;
}

} // namespace laio::test
