// What the tests of the disks share: a directory on a disk, and a loop with tasks that ask and wait.
#pragma once

#include "disk/disk.hpp"
#include "loop/libevent_multiplexer.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace httpd::test {

inline std::string bytes_of(std::size_t size, unsigned seed = 1) {
    std::string bytes(size, '\0');
    for (auto &one : bytes) one = static_cast<char>((seed = seed * 1103515245 + 12345) >> 16U);
    return bytes;
}

// In the current directory, which is the build's, and on a disk more often than /tmp is; or in another one.
class directory {
public:
    explicit directory(const std::string &in = ".") {
        std::string name = in + "/laio-test-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
        path_ = std::filesystem::absolute(name);
        root = ::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    ~directory() {
        ::close(root);
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    directory(const directory &) = delete;
    directory &operator=(const directory &) = delete;

    std::string path(const std::string &name) const { return path_ + "/" + name; }
    void write(const std::string &name, const std::string &content) const {
        const int file = ::open(path(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ASSERT_GE(file, 0) << std::strerror(errno);
        ASSERT_EQ(::write(file, content.data(), content.size()), static_cast<ssize_t>(content.size()));
        ASSERT_EQ(::fsync(file), 0);
        ::close(file);
    }
    int open(const std::string &name) const { return ::open(path(name).c_str(), O_RDONLY | O_CLOEXEC); }

    int root = -1;

private:
    std::string path_;
};

// Gives up what a file has in memory, as far as its file system does so.
inline void drop(int file) { ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED); }

inline std::string content_of(int file) {
    struct stat status {};
    EXPECT_EQ(::fstat(file, &status), 0);
    std::string content(static_cast<std::size_t>(status.st_size), '\0');
    EXPECT_EQ(::pread(file, content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
    return content;
}

inline std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// A task that asks for one thing at a time.
class asker final : public task {
public:
    ~asker() override {
        if (file.descriptor >= 0) ::close(file.descriptor);
    }
    void completed(outcome result) override { told = result; }

    // What a disk answered at once, or has in the background.
    void takes(outcome result) {
        at_once = !result.in_background();
        told = at_once ? std::optional(result) : std::nullopt;
    }

    std::optional<outcome> told;
    bool at_once = false;
    opened_file file;
    struct stat status {};
};

inline void wait_for(libevent_multiplexer &loop, asker &who) {
    while (!who.told) loop.wait(-1);
}

} // namespace httpd::test
