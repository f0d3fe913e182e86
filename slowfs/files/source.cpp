// A file is opened for each read of a folder: a table of open ones would have to be bounded, and saves 2 of some 40 us.
// O_DIRECT lost to forgetting: it wants aligned offsets, and reads while the loop waits.
#include "source.hpp"

#include "content.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace slowfs {
namespace {

class synthetic : public source {
public:
    explicit synthetic(const tree &files) : files_(files) {}

    int prepare(node_number /*file*/, std::uint64_t /*offset*/, std::size_t /*bytes*/) override { return 0; }
    long read(int /*handle*/, node_number file, std::uint64_t offset, std::span<std::byte> out) override {
        files_.path_of(file, path_);
        replay::content(path_).fill(offset, out);
        return static_cast<long>(out.size());
    }
    void release(int /*handle*/) override {}

private:
    const tree &files_;
    std::string path_;
};

class from_folder : public source {
public:
    from_folder(const tree &files, const std::string &folder)
        : files_(files), folder_(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
        if (folder_ < 0) throw std::system_error(errno, std::generic_category(), folder);
    }
    from_folder(const from_folder &) = delete;
    from_folder &operator=(const from_folder &) = delete;
    ~from_folder() override { close(folder_); }

    int prepare(node_number file, std::uint64_t offset, std::size_t bytes) override {
        files_.path_of(file, path_);
        const int opened = openat(folder_, path_.c_str() + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (opened < 0) return -errno;
        posix_fadvise(opened, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
        return opened;
    }
    long read(int handle, node_number /*file*/, std::uint64_t offset, std::span<std::byte> out) override {
        std::size_t done = 0;
        ssize_t some = 1;
        while (done < out.size() && some > 0) {
            some = pread(handle, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
            if (some > 0) done += static_cast<std::size_t>(some);
        }
        const long result = some < 0 ? -errno : static_cast<long>(done);
        posix_fadvise(handle, static_cast<off_t>(offset), static_cast<off_t>(out.size()), POSIX_FADV_DONTNEED);
        close(handle);
        return result;
    }
    void release(int handle) override { close(handle); }

private:
    const tree &files_;
    int folder_;
    std::string path_;
};

} // namespace

std::unique_ptr<source> synthetic_source(const tree &files) { return std::make_unique<synthetic>(files); }

std::unique_ptr<source> folder_source(const tree &files, const std::string &folder) {
    return std::make_unique<from_folder>(files, folder);
}

} // namespace slowfs
