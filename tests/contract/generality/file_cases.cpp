// Calls on the content of regular files and pipes: open(2), read(2), write(2), lseek(2) and their kin.
#include "generality/cases.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/uio.h>

namespace laio::test {
namespace {

constexpr std::string_view words = "the quick brown fox jumps over the lazy dog";

iovec piece(char *bytes, std::size_t size) { return {bytes, size}; }

template <std::size_t size> std::string_view view(const std::array<char, size> &bytes) {
    return {bytes.data(), bytes.size()};
}

void play_open(stage &s) {
    s.file("a", words);
    const std::string path = s.path("a");
    const descriptor opened = s.call_for_descriptor(SYS_open, path.c_str(), O_RDONLY, 0);
    s.note("reads", read_all(opened.get(), 100));
    const std::string absent = s.path("absent");
    s.call(SYS_open, absent.c_str(), O_RDONLY, 0);
    const std::string below_file = s.path("a/b");
    s.call(SYS_open, below_file.c_str(), O_RDONLY, 0);
    const std::string made = s.path("made");
    { const descriptor second = s.call_for_descriptor(SYS_open, made.c_str(), O_RDWR | O_CREAT | O_EXCL, 0640); }
    s.call(SYS_open, made.c_str(), O_RDWR | O_CREAT | O_EXCL, 0640);
    { const descriptor third = s.call_for_descriptor(SYS_open, path.c_str(), O_RDWR | O_TRUNC, 0); }
    s.note_content("a");
    s.note_status("made");
}

void play_openat(stage &s) {
    s.file("a", words);
    const descriptor root{open(s.root().path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const descriptor opened = s.call_for_descriptor(SYS_openat, root.get(), "a", O_RDONLY | O_CLOEXEC, 0);
    s.note("reads", read_all(opened.get(), 100));
    s.note("close-on-exec", static_cast<long>(fcntl(opened.get(), F_GETFD)));
    s.call(SYS_openat, root.get(), "absent", O_RDONLY, 0);
    s.call(SYS_openat, root.get(), "a", O_RDONLY | O_DIRECTORY, 0);
    s.call(SYS_openat, -1, "a", O_RDONLY, 0);
    s.call(SYS_openat, root.get(), nullptr, O_RDONLY, 0);
    { const descriptor unnamed = s.call_for_descriptor(SYS_openat, root.get(), ".", O_RDWR | O_TMPFILE, 0600); }
}

void play_openat2(stage &s) {
    s.file("a", words);
    const descriptor root{open(s.root().path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH;
    { const descriptor opened = s.call_for_descriptor(SYS_openat2, root.get(), "a", &how, sizeof how); }
    s.call(SYS_openat2, root.get(), "../a", &how, sizeof how);
    s.call(SYS_openat2, root.get(), "a", &how, 1);
    how.flags = ~0ULL;
    s.call(SYS_openat2, root.get(), "a", &how, sizeof how);
}

void play_creat(stage &s) {
    const std::string path = s.path("new");
    { const descriptor made = s.call_for_descriptor(SYS_creat, path.c_str(), 0600); }
    s.note_status("new");
}

void play_close(stage &s) {
    descriptor file = s.file("a", words);
    const int number = file.release();
    s.call(SYS_close, number);
    s.call(SYS_close, -1);
    s.note("is closed", static_cast<long>(fcntl(number, F_GETFD)));
}

void play_read(stage &s) {
    const descriptor file = s.file("a", words);
    std::array<char, 16> buffer{};
    for (int turn = 0; turn < 4; ++turn) {
        s.call(SYS_read, file.get(), buffer.data(), buffer.size());
        s.note("bytes", view(buffer));
        s.note("offset", lseek(file.get(), 0, SEEK_CUR));
    }
    s.call(SYS_read, file.get(), buffer.data(), 0);
    s.call(SYS_read, -1, buffer.data(), buffer.size());
    const descriptor root{open(s.root().path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    s.call(SYS_read, root.get(), buffer.data(), buffer.size());
}

void play_read_waits(stage &s) {
    const pipe_ends ends = make_pipe();
    std::array<char, 16> buffer{};
    s.call_while([&] { write_all(ends.writer.get(), "late"); }, SYS_read, ends.reader.get(), buffer.data(),
                 buffer.size());
    s.note("bytes", view(buffer));
}

void play_pread64(stage &s) {
    const descriptor file = s.file("a", words);
    std::array<char, 16> buffer{};
    s.call(SYS_pread64, file.get(), buffer.data(), buffer.size(), 4);
    s.note("bytes", view(buffer));
    s.call(SYS_pread64, file.get(), buffer.data(), buffer.size(), 40);
    s.call(SYS_pread64, file.get(), buffer.data(), buffer.size(), 1000);
    s.call(SYS_pread64, file.get(), buffer.data(), buffer.size(), -1);
    s.note("offset", lseek(file.get(), 0, SEEK_CUR));
    const pipe_ends ends = make_pipe();
    s.call(SYS_pread64, ends.reader.get(), buffer.data(), buffer.size(), 0);
}

void play_readv(stage &s) {
    const descriptor file = s.file("a", words);
    std::array<char, 5> first{};
    std::array<char, 7> second{};
    std::array<iovec, 2> pieces{piece(first.data(), first.size()), piece(second.data(), second.size())};
    s.call(SYS_readv, file.get(), pieces.data(), 2);
    s.note("first", view(first));
    s.note("second", view(second));
    s.note("kept length", static_cast<long>(pieces[0].iov_len));
    s.call(SYS_readv, file.get(), pieces.data(), 0);
    s.call(SYS_readv, file.get(), pieces.data(), 5000);
}

void play_preadv(stage &s) {
    const descriptor file = s.file("a", words);
    std::array<char, 5> first{};
    std::array<char, 60> second{};
    std::array<iovec, 2> pieces{piece(first.data(), first.size()), piece(second.data(), second.size())};
    s.call(SYS_preadv, file.get(), pieces.data(), 2, 4, 0);
    s.note("first", view(first));
    s.note("second", view(second));
}

void play_preadv2(stage &s) {
    const descriptor file = s.file("a", words);
    std::array<char, 12> bytes{};
    const iovec one = piece(bytes.data(), bytes.size());
    s.call(SYS_preadv2, file.get(), &one, 1, -1, 0, 0);
    s.note("bytes", view(bytes));
    s.note("offset", lseek(file.get(), 0, SEEK_CUR));
    s.call(SYS_preadv2, file.get(), &one, 1, 10, 0, 0);
    s.note("bytes", view(bytes));
    s.call(SYS_preadv2, file.get(), &one, 1, 10, 0, 0x40000000);
}

void play_write(stage &s) {
    const descriptor file = s.file("a", words);
    s.call(SYS_write, file.get(), "THE", 3);
    s.note("offset", lseek(file.get(), 0, SEEK_CUR));
    s.note_content("a");
    const descriptor read_only{open(s.path("a").c_str(), O_RDONLY | O_CLOEXEC)};
    s.call(SYS_write, read_only.get(), "x", 1);
    const descriptor appending{open(s.path("a").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
    s.call(SYS_write, appending.get(), "!", 1);
    s.note_content("a");
    const descriptor full{open("/dev/full", O_WRONLY | O_CLOEXEC)};
    s.call(SYS_write, full.get(), "x", 1);
}

void play_write_waits(stage &s) {
    const pipe_ends ends = make_pipe();
    fill(ends.writer.get());
    s.call_while([&] { read_all(ends.reader.get(), 65536); }, SYS_write, ends.writer.get(), "late", 4);
    s.note("bytes", read_all(ends.reader.get(), 4));
}

void play_pwrite64(stage &s) {
    const descriptor file = s.file("a", words);
    s.call(SYS_pwrite64, file.get(), "SLOW", 4, 4);
    s.call(SYS_pwrite64, file.get(), "far", 3, 60);
    s.call(SYS_pwrite64, file.get(), "far", 3, -5);
    s.note_content("a");
    s.note("offset", lseek(file.get(), 0, SEEK_CUR));
}

void play_writev(stage &s) {
    const descriptor file = s.file("a", words);
    std::string first = "ONE ";
    std::string second = "TWO";
    const std::array<iovec, 2> pieces{piece(first.data(), first.size()), piece(second.data(), second.size())};
    s.call(SYS_writev, file.get(), pieces.data(), 2);
    s.call(SYS_pwritev, file.get(), pieces.data(), 2, 20, 0);
    s.call(SYS_pwritev2, file.get(), pieces.data(), 2, -1, 0, 0);
    s.note_content("a");
}

void play_lseek(stage &s) {
    const descriptor file = s.file("a", words);
    s.call(SYS_lseek, file.get(), 10, SEEK_SET);
    s.call(SYS_lseek, file.get(), -3, SEEK_END);
    s.call(SYS_lseek, file.get(), -100, SEEK_SET);
    const pipe_ends ends = make_pipe();
    s.call(SYS_lseek, ends.reader.get(), 0, SEEK_SET);
}

void play_truncate(stage &s) {
    s.file("a", words);
    const std::string path = s.path("a");
    s.call(SYS_truncate, path.c_str(), 9);
    s.note_content("a");
    s.call(SYS_truncate, path.c_str(), -1);
}

void play_ftruncate(stage &s) {
    const descriptor file = s.file("a", words);
    s.call(SYS_ftruncate, file.get(), 50);
    s.note_content("a");
    const pipe_ends ends = make_pipe();
    s.call(SYS_ftruncate, ends.writer.get(), 1);
}

void play_fallocate(stage &s) {
    const descriptor file = s.file("a", words);
    s.call(SYS_fallocate, file.get(), 0, 0, 5000);
    s.note_status("a");
    s.call(SYS_fallocate, file.get(), 0, 0, 0);
}

void play_copy_file_range(stage &s) {
    const descriptor from = s.file("a", words);
    const descriptor to = s.file("b", "");
    long offset = 4;
    s.call(SYS_copy_file_range, from.get(), &offset, to.get(), nullptr, 11, 0);
    s.note("offset", offset);
    s.note_content("b");
}

void play_sendfile(stage &s) {
    const descriptor file = s.file("a", words);
    const pipe_ends ends = make_pipe();
    long offset = 4;
    s.call(SYS_sendfile, ends.writer.get(), file.get(), &offset, 11);
    s.note("offset", offset);
    s.note("bytes", read_all(ends.reader.get(), 11));
    s.call(SYS_sendfile, -1, file.get(), &offset, 11);
}

void play_fsync(stage &s) {
    const descriptor file = s.file("a", words);
    s.call_that_waits(SYS_fsync, file.get());
    s.call(SYS_fsync, -1);
    const pipe_ends ends = make_pipe();
    s.call(SYS_fsync, ends.writer.get());
}

void play_fdatasync(stage &s) {
    const descriptor file = s.file("a", words);
    s.call_that_waits(SYS_fdatasync, file.get());
    s.call(SYS_fdatasync, -1);
}

void play_fadvise64(stage &s) {
    const descriptor file = s.file("a", words);
    s.call(SYS_fadvise64, file.get(), 0, 0, POSIX_FADV_WILLNEED);
    s.call(SYS_readahead, file.get(), 0, 4096);
    s.call(SYS_sync_file_range, file.get(), 0, 0, 0);
}

} // namespace

std::span<const generality_case> file_cases() {
    static const std::vector<generality_case> cases{
        {"open", {SYS_open}, play_open},
        {"openat", {SYS_openat}, play_openat},
        {"openat2", {SYS_openat2}, play_openat2},
        {"creat", {SYS_creat}, play_creat},
        {"close", {SYS_close}, play_close},
        {"read", {SYS_read}, play_read},
        {"read_waits", {SYS_read}, play_read_waits, false, true},
        {"pread64", {SYS_pread64}, play_pread64},
        {"readv", {SYS_readv}, play_readv},
        {"preadv", {SYS_preadv}, play_preadv},
        {"preadv2", {SYS_preadv2}, play_preadv2},
        {"write", {SYS_write}, play_write},
        {"write_waits", {SYS_write}, play_write_waits, false, true},
        {"pwrite64", {SYS_pwrite64}, play_pwrite64},
        {"writev", {SYS_writev, SYS_pwritev, SYS_pwritev2}, play_writev},
        {"lseek", {SYS_lseek}, play_lseek},
        {"truncate", {SYS_truncate}, play_truncate},
        {"ftruncate", {SYS_ftruncate}, play_ftruncate},
        {"fallocate", {SYS_fallocate}, play_fallocate},
        {"copy_file_range", {SYS_copy_file_range}, play_copy_file_range},
        {"sendfile", {SYS_sendfile}, play_sendfile},
        {"fsync", {SYS_fsync}, play_fsync},
        {"fdatasync", {SYS_fdatasync}, play_fdatasync},
        {"fadvise64", {SYS_fadvise64, SYS_readahead, SYS_sync_file_range}, play_fadvise64},
    };
    return cases;
}

} // namespace laio::test
