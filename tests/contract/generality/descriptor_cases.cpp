// Calls on descriptors themselves, pipes and locks: dup(2), fcntl(2), flock(2), ioctl(2), splice(2), pipe(2), and memory.
#include "generality/cases.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

namespace laio::test {
namespace {

void play_dup(stage &s) {
    const descriptor file = s.file("a", "content");
    const descriptor copy = s.call_for_descriptor(SYS_dup, file.get());
    s.note("reads", read_all(copy.get(), 100));
    constexpr int high = 777;
    s.call(SYS_dup2, file.get(), high);
    s.call(SYS_dup2, high, high);
    s.call(SYS_dup2, -1, high);
    s.call(SYS_dup3, file.get(), high + 1, O_CLOEXEC);
    s.call(SYS_dup3, file.get(), file.get(), 0);
    s.note("flags", static_cast<long>(fcntl(high + 1, F_GETFD)));
    s.call(SYS_close, high);
    s.call(SYS_close, high + 1);
}

void play_close_range(stage &s) {
    constexpr int high = 1000;
    const descriptor file = s.file("a", "");
    EXPECT_EQ(dup2(file.get(), high), high);
    s.call(SYS_close_range, high, high + 10, 0);
    s.note("is closed", static_cast<long>(fcntl(high, F_GETFD)));
    s.call(SYS_close_range, high, high - 1, 0);
}

void play_fcntl(stage &s) {
    const descriptor file = s.file("a", "content");
    s.call(SYS_fcntl, file.get(), F_GETFD);
    s.call(SYS_fcntl, file.get(), F_SETFD, 0);
    s.call(SYS_fcntl, file.get(), F_SETFL, O_APPEND);
    s.note("flags", static_cast<long>(fcntl(file.get(), F_GETFL)));
    s.call(SYS_fcntl, -1, F_GETFL);
    s.call(SYS_fcntl, file.get(), 9999);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_len = 3;
    s.call(SYS_fcntl, file.get(), F_OFD_SETLK, &lock);
    const descriptor other{open(s.path("a").c_str(), O_RDWR | O_CLOEXEC)};
    s.call(SYS_fcntl, other.get(), F_OFD_SETLK, &lock);
    struct flock asked = lock;
    s.call(SYS_fcntl, other.get(), F_OFD_GETLK, &asked);
    s.note("type", static_cast<long>(asked.l_type));
    struct flock unlock = lock;
    unlock.l_type = F_UNLCK;
    s.call_while([&] { EXPECT_EQ(fcntl(file.get(), F_OFD_SETLK, &unlock), 0); }, SYS_fcntl, other.get(), F_OFD_SETLKW,
                 &lock);
}

void play_flock(stage &s) {
    const descriptor file = s.file("a", "");
    const descriptor other{open(s.path("a").c_str(), O_RDWR | O_CLOEXEC)};
    s.call(SYS_flock, file.get(), LOCK_EX);
    s.call(SYS_flock, other.get(), LOCK_EX | LOCK_NB);
    s.call_while([&] { EXPECT_EQ(flock(file.get(), LOCK_UN), 0); }, SYS_flock, other.get(), LOCK_EX);
    s.call(SYS_flock, other.get(), LOCK_UN);
    s.call(SYS_flock, -1, LOCK_EX);
    s.call(SYS_flock, other.get(), 99);
}

void play_ioctl(stage &s) {
    const pipe_ends ends = make_pipe();
    write_all(ends.writer.get(), "12345");
    int count = 0;
    s.call(SYS_ioctl, ends.reader.get(), FIONREAD, &count);
    s.note("count", static_cast<long>(count));
    s.call(SYS_ioctl, ends.reader.get(), TCGETS, &count);
    s.call(SYS_ioctl, ends.reader.get(), FIONREAD, 8);
}

void play_pipe(stage &s) {
    std::array<int, 2> ends{};
    s.call(SYS_pipe2, ends.data(), O_CLOEXEC | O_NONBLOCK);
    const descriptor reader{ends[0]};
    const descriptor writer{ends[1]};
    s.note("flags", static_cast<long>(fcntl(reader.get(), F_GETFL)));
    char byte = 0;
    s.call(SYS_read, reader.get(), &byte, 1);
    s.call(SYS_pipe2, ends.data(), ~0);
    s.call(SYS_pipe2, nullptr, 0);
    s.call(SYS_pipe, ends.data());
    const descriptor second_reader{ends[0]};
    const descriptor second_writer{ends[1]};
    write_all(second_writer.get(), "x");
    s.note("reads", read_all(second_reader.get(), 1));
}

void play_splice(stage &s) {
    const descriptor file = s.file("a", "spliced content");
    const pipe_ends first = make_pipe();
    const pipe_ends second = make_pipe();
    long offset = 2;
    s.call(SYS_splice, file.get(), &offset, first.writer.get(), nullptr, 5, 0);
    s.note("offset", offset);
    s.call(SYS_tee, first.reader.get(), second.writer.get(), 100, 0);
    s.note("first", read_all(first.reader.get(), 5));
    s.note("second", read_all(second.reader.get(), 5));
    std::string text = "from user memory";
    const iovec piece{text.data(), text.size()};
    s.call(SYS_vmsplice, first.writer.get(), &piece, 1, 0);
    s.note("first", read_all(first.reader.get(), text.size()));
    s.call(SYS_splice, file.get(), nullptr, file.get(), nullptr, 5, 0);
    s.call(SYS_tee, file.get(), file.get(), 5, 0);
    s.call_while([&] { write_all(first.writer.get(), "late"); }, SYS_splice, first.reader.get(), nullptr,
                 second.writer.get(), nullptr, 100, 0);
    s.note("second", read_all(second.reader.get(), 4));
}

void play_memory(stage &s) {
    constexpr std::size_t page = 4096;
    const descriptor file = s.file("a", std::string(page, 'm'));
    const long place = s.call_for_value(SYS_mmap, nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    auto *bytes = reinterpret_cast<char *>(place);
    s.note("byte", bytes[100]);
    bytes[0] = 'M';
    s.call_that_waits(SYS_msync, place, page, MS_SYNC);
    s.note("byte", read_all(file.get(), 1));
    unsigned char resident = 0;
    s.call(SYS_mincore, place, page, &resident);
    s.call(SYS_madvise, place, page, MADV_WILLNEED);
    s.call(SYS_mprotect, place, page, PROT_READ);
    s.call(SYS_mlock, place, page);
    s.call(SYS_munlock, place, page);
    s.call(SYS_munmap, place, page);
    s.call(SYS_msync, place, page, MS_SYNC);
    s.call(SYS_munmap, 1, page);
}

void play_memfd_create(stage &s) {
    const descriptor made = s.call_for_descriptor(SYS_memfd_create, "name", MFD_CLOEXEC);
    write_all(made.get(), "held in memory");
    std::array<char, 4> bytes{};
    s.call(SYS_pread64, made.get(), bytes.data(), bytes.size(), 5);
    s.note("bytes", std::string_view{bytes.data(), bytes.size()});
    s.call(SYS_memfd_create, "name", ~0U);
}

} // namespace

std::span<const generality_case> descriptor_cases() {
    static const std::vector<generality_case> cases{
        {"dup", {SYS_dup, SYS_dup2, SYS_dup3}, play_dup},
        {"close_range", {SYS_close_range}, play_close_range},
        {"fcntl", {SYS_fcntl}, play_fcntl},
        {"flock", {SYS_flock}, play_flock},
        {"ioctl", {SYS_ioctl}, play_ioctl},
        {"pipe", {SYS_pipe, SYS_pipe2}, play_pipe, true},
        {"splice", {SYS_splice, SYS_tee, SYS_vmsplice}, play_splice},
        {"memory", {SYS_mmap, SYS_munmap, SYS_msync, SYS_mincore, SYS_madvise, SYS_mprotect, SYS_mlock}, play_memory},
        {"memfd_create", {SYS_memfd_create}, play_memfd_create},
    };
    return cases;
}

} // namespace laio::test
