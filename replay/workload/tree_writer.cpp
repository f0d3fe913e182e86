#include "workload/tree_writer.hpp"

#include "content.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace replay {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(int error, const std::string &what) {
    throw std::system_error(error, std::generic_category(), what);
}

class descriptor {
public:
    descriptor(const std::string &path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)), path_(path) {
        if (fd_ < 0) fail(errno, path_);
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    void close() { // network file systems tell errors of writing here
        if (::close(std::exchange(fd_, -1)) != 0) fail(errno, path_);
    }

private:
    int fd_;
    const std::string &path_;
};

void check_room(const std::vector<listed_file> &files, const std::string &folder) {
    struct statvfs room {};
    if (::statvfs(folder.c_str(), &room) != 0) fail(errno, folder);
    const std::uint64_t block = std::max<std::uint64_t>(room.f_frsize, 1);
    std::uint64_t blocks = 0;
    for (const listed_file &one : files) blocks += (one.bytes + block - 1) / block;
    const std::uint64_t available = ::geteuid() == 0 ? room.f_bfree : room.f_bavail;
    if (blocks > available)
        throw std::runtime_error(fmt::format("{}: the tree needs {:.2f} GB, and {:.2f} GB are free", folder,
                                             static_cast<double>(blocks * block) / 1e9,
                                             static_cast<double>(available * block) / 1e9));
    // Some file systems have no number of files: 0.
    if (room.f_files > 0 && files.size() > room.f_ffree)
        throw std::runtime_error(fmt::format("{}: the tree has {} files, and there is room for {} (inodes)", folder,
                                             files.size(), room.f_ffree));
}

class writer {
public:
    writer(std::string folder, const tree_progress &progress) : folder_(std::move(folder)), progress_(progress) {}

    void write(const listed_file &one) {
        const auto parent = one.path.substr(0, one.path.rfind('/'));
        if (parent != last_parent_) {
            fs::create_directories(folder_ + parent);
            last_parent_ = parent;
        }
        const std::string path = folder_ + one.path;
        descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
        // In one piece where the file system can; one that cannot says so, and the file is written all the same.
        if (one.bytes > 0 && ::fallocate(file.get(), 0, 0, static_cast<off_t>(one.bytes)) != 0 && errno != EOPNOTSUPP &&
            errno != ENOSYS && errno != EINTR)
            fail(errno, path);
        const content bytes(one.path);
        for (std::uint64_t done = 0; done < one.bytes;) {
            const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), one.bytes - done));
            bytes.fill(done, std::span(buffer_).first(count));
            write_all(file.get(), count, path);
            done += count;
            written_ += count;
            progress_(written_);
        }
        file.close();
    }

private:
    void write_all(int fd, std::size_t count, const std::string &path) {
        for (std::size_t done = 0; done < count;) {
            const ssize_t result = ::write(fd, buffer_.data() + done, count - done);
            if (result < 0 && errno != EINTR) fail(errno, path);
            if (result > 0) done += static_cast<std::size_t>(result);
        }
    }

    std::string folder_;
    const tree_progress &progress_;
    std::string last_parent_;
    std::uint64_t written_ = 0;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(262'144);
};

} // namespace

void write_tree(const std::vector<listed_file> &files, const std::string &folder, const tree_progress &progress) {
    const std::string partial = folder + ".partial";
    if (fs::exists(fs::symlink_status(folder))) throw std::runtime_error(folder + ": exists already");
    fs::remove_all(partial);
    fs::create_directory(partial);
    try {
        check_room(files, partial);
        writer tree(partial, progress);
        for (const listed_file &one : files) tree.write(one);
        if (::syncfs(descriptor(partial, O_RDONLY | O_DIRECTORY).get()) != 0) fail(errno, partial);
        fs::rename(partial, folder);
    } catch (...) {
        std::error_code ignored;
        fs::remove_all(partial, ignored);
        throw;
    }
}

} // namespace replay
