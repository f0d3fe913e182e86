// See test_file.hpp.
#include "test_file.hpp"

#include "common/failure.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace laio::bench {
namespace {

constexpr std::uint64_t stamp = 0x6c61696f70616765; // beside the number, so that zeroes are no page

descriptor unnamed_file(const std::string &directory) {
    std::string name = directory + "/laio-bench-XXXXXX";
    descriptor file(::mkostemp(name.data(), O_CLOEXEC));
    if (file.get() < 0) fail("no file can be made in {}: {}", directory, error_text(errno));
    ::unlink(name.c_str());
    return file;
}

void write_all(int fd, const char *bytes, std::size_t length) {
    while (length > 0) {
        const ssize_t written = ::write(fd, bytes, length);
        if (written < 0) fail("writing the file to read from: {}", error_text(errno));
        bytes += written;
        length -= static_cast<std::size_t>(written);
    }
}

} // namespace

test_file::test_file(const std::string &directory, std::size_t pages)
    : file_(unnamed_file(directory)), pages_(pages), mapping_(MAP_FAILED) {
    constexpr std::size_t pages_at_once = 256;
    // What follows the stamp is not compressible, for file systems and disks that would.
    std::vector<std::uint64_t> block(pages_at_once * page_size / sizeof(std::uint64_t));
    std::uint64_t noise = 88172645463325252;
    for (std::size_t first = 0; first < pages; first += pages_at_once) {
        const std::size_t count = std::min(pages_at_once, pages - first);
        for (std::size_t word = 0; word < count * page_size / sizeof noise; ++word) {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            block[word] = noise;
        }
        for (std::size_t page = 0; page < count; ++page) {
            block[page * page_size / sizeof noise] = stamp;
            block[page * page_size / sizeof noise + 1] = first + page;
        }
        write_all(file_.get(), reinterpret_cast<const char *>(block.data()), count * page_size);
    }
    // Only clean pages can be evicted.
    must(::fdatasync(file_.get()), "fdatasync");
    must(::posix_fadvise(file_.get(), 0, 0, POSIX_FADV_RANDOM), "posix_fadvise");
    mapping_ = ::mmap(nullptr, pages_ * page_size, PROT_READ, MAP_SHARED, file_.get(), 0);
    if (mapping_ == MAP_FAILED) fail("mmap: {}", error_text(errno));
}

test_file::~test_file() { ::munmap(mapping_, pages_ * page_size); }

bool test_file::is_page(const void *bytes, std::size_t page) {
    std::array<std::uint64_t, 2> head{};
    std::memcpy(head.data(), bytes, sizeof head);
    return head[0] == stamp && head[1] == page;
}

void test_file::load() const {
    std::array<char, page_size> buffer{};
    for (std::size_t page = 0; page < pages_; ++page)
        must(::pread(fd(), buffer.data(), buffer.size(), offset_of(page)), "pread");
}

void test_file::evict() const {
    const int error = ::posix_fadvise(fd(), 0, 0, POSIX_FADV_DONTNEED);
    if (error != 0) fail("posix_fadvise: {}", error_text(error));
}

double test_file::resident_share() const {
    // mincore(2) counts in pages of the machine, which need not be ours.
    const auto machine_page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> resident((pages_ * page_size + machine_page - 1) / machine_page);
    must(::mincore(mapping_, pages_ * page_size, resident.data()), "mincore");
    const auto count =
        std::count_if(resident.begin(), resident.end(), [](unsigned char flags) { return (flags & 1U) != 0; });
    return static_cast<double>(count) / static_cast<double>(resident.size());
}

int test_file::nowait_error() const {
    std::array<char, page_size> buffer{};
    const iovec vector{.iov_base = buffer.data(), .iov_len = buffer.size()};
    if (::preadv2(fd(), &vector, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN) return 0;
    return errno;
}

} // namespace laio::bench
