// The disk through the ring: steps, errors, reads that are joined or wait for their turn.
#include "disk/uring_disk.hpp"
#include "httpd/uring_fixture.hpp"

#include "disk/root.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <deque>

namespace httpd {
namespace {

class uring_disk_test : public on_a_ring {
protected:
    void SetUp() override {
        on_a_ring::SetUp();
        if (IsSkipped()) return;
        root = open_root(folder);
        disk.emplace(loop->ring(), root, 2U, 1000U);
    }
    void TearDown() override {
        disk.reset();
        if (root >= 0) ::close(root);
        on_a_ring::TearDown();
    }

    outcome opened(const char *name, opened_file &file) {
        asker who;
        who.takes(disk->open(who, name, file));
        until([&] { return who.ready(); });
        return who.answer();
    }
    int make_cold(const std::string &path) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        fsync(file);
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
        return file;
    }

    int root = -1;
    std::optional<uring_disk> disk;
};

void expect_same(const struct stat &got, const struct stat &wanted) {
    EXPECT_EQ(got.st_dev, wanted.st_dev);
    EXPECT_EQ(got.st_ino, wanted.st_ino);
    EXPECT_EQ(got.st_mode, wanted.st_mode);
    EXPECT_EQ(got.st_nlink, wanted.st_nlink);
    EXPECT_EQ(got.st_uid, wanted.st_uid);
    EXPECT_EQ(got.st_gid, wanted.st_gid);
    EXPECT_EQ(got.st_rdev, wanted.st_rdev);
    EXPECT_EQ(got.st_size, wanted.st_size);
    EXPECT_EQ(got.st_blksize, wanted.st_blksize);
    EXPECT_EQ(got.st_blocks, wanted.st_blocks);
    EXPECT_EQ(got.st_mtim.tv_sec, wanted.st_mtim.tv_sec);
    EXPECT_EQ(got.st_mtim.tv_nsec, wanted.st_mtim.tv_nsec);
    EXPECT_EQ(got.st_ctim.tv_sec, wanted.st_ctim.tv_sec);
    EXPECT_EQ(got.st_ctim.tv_nsec, wanted.st_ctim.tv_nsec);
}

TEST_F(uring_disk_test, opens_a_file_with_its_status) {
    const auto path = file("a", "content");
    opened_file got;
    ASSERT_EQ(opened("a", got).error, 0);
    struct stat wanted {};
    ASSERT_EQ(::stat(path.c_str(), &wanted), 0);
    expect_same(got.status, wanted);
    EXPECT_EQ(fcntl(got.descriptor, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(fcntl(got.descriptor, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

    asker who;
    who.takes(disk->close(who, got.descriptor));
    until([&] { return who.ready(); });
    EXPECT_EQ(who.answer().error, 0);
    EXPECT_EQ(fcntl(got.descriptor, F_GETFD), -1);
}

// Its files are not on a disk of this machine: the ring is asked for the status.
TEST_F(uring_disk_test, opens_a_file_of_a_pseudo_file_system) {
    const int proc = open_root("/proc/self");
    uring_disk of_proc(loop->ring(), proc, 1, 0);
    asker who;
    opened_file got;
    who.takes(of_proc.open(who, "status", got));
    until([&] { return who.ready(); });
    EXPECT_EQ(who.answer().error, 0);
    struct stat wanted {};
    ASSERT_EQ(::fstat(got.descriptor, &wanted), 0);
    expect_same(got.status, wanted);
    ::close(got.descriptor);
    ::close(proc);
}

TEST_F(uring_disk_test, status_by_name) {
    const auto path = file("a", "content");
    asker who;
    struct stat got {};
    who.takes(disk->status(who, "a", got));
    until([&] { return who.ready(); });
    EXPECT_EQ(who.answer().error, 0);
    struct stat wanted {};
    ASSERT_EQ(::stat(path.c_str(), &wanted), 0);
    expect_same(got, wanted);

    asker other;
    other.takes(disk->status(other, "none", got));
    until([&] { return other.ready(); });
    EXPECT_EQ(other.answer().error, ENOENT);
}

TEST_F(uring_disk_test, says_why_it_cannot_open) {
    file("a", "");
    std::filesystem::create_symlink("/etc/passwd", folder / "absolute");
    opened_file none;
    EXPECT_EQ(opened("none", none).error, ENOENT);
    EXPECT_EQ(opened("a/b", none).error, ENOTDIR);
    EXPECT_EQ(opened("../x", none).error, EXDEV);
    EXPECT_EQ(opened("absolute", none).error, EXDEV);
    EXPECT_EQ(none.descriptor, -1);
}

TEST_F(uring_disk_test, opening_waits_for_no_other_end_of_a_fifo) {
    ASSERT_EQ(mkfifo((folder / "fifo").c_str(), 0600), 0);
    opened_file got;
    EXPECT_EQ(opened("fifo", got).error, 0);
    EXPECT_TRUE(S_ISFIFO(got.status.st_mode));
    ::close(got.descriptor);
}

TEST_F(uring_disk_test, many_at_once) {
    file("a", "content");
    constexpr std::size_t many = 3000;
    std::deque<asker> who(many);
    struct stat status {};
    std::vector<struct stat> got(many, status);
    for (std::size_t i = 0; i < many; ++i) who[i].takes(disk->status(who[i], i % 2 == 0 ? "a" : "none", got[i]));
    for (std::size_t i = 0; i < many; ++i) {
        until([&] { return who[i].ready(); });
        EXPECT_EQ(who[i].answer().error, i % 2 == 0 ? 0 : ENOENT);
        EXPECT_EQ(got[i].st_size, i % 2 == 0 ? 7 : 0);
    }
}

TEST_F(uring_disk_test, what_is_cancelled_is_told_once) {
    file("a", "content");
    std::deque<asker> who(100);
    struct stat status {};
    for (auto &one : who) {
        one.takes(disk->status(one, "a", status));
        one.cancel();
    }
    for (auto &one : who) {
        until([&] { return one.ready(); });
        EXPECT_TRUE(one.answer().error == 0 || one.answer().error == ECANCELED) << one.answer().error;
    }
    turn();
    for (auto &one : who) EXPECT_EQ(one.told.size(), 1U);
}

// Two are read at once, the others wait; the same range is asked for by several.
TEST_F(uring_disk_test, brings_in_what_is_not_in_memory) {
    constexpr std::size_t length = 1 << 20;
    const int cold = make_cold(file("large", std::string(length, 'x')));
    std::deque<asker> who(40);
    for (std::size_t i = 0; i < who.size(); ++i)
        who[i].takes(disk->bring_in(who[i], cold, static_cast<off_t>((i % 10) * 100'000), 100'000));
    for (auto &one : who) {
        until([&] { return one.ready(); });
        EXPECT_EQ(one.answer().error, 0);
        EXPECT_GE(one.answer().value, 1);
        EXPECT_LE(one.answer().value, 100'000);
    }
    ::close(cold);
}

TEST_F(uring_disk_test, bringing_in_says_what_cannot_be_read) {
    std::deque<asker> who(10);
    for (auto &one : who) one.takes(disk->bring_in(one, root, 0, 100'000)); // a directory, by a path only
    for (auto &one : who) {
        until([&] { return one.ready(); });
        EXPECT_EQ(one.answer().error, EBADF);
    }
}

TEST_F(uring_disk_test, leaves_what_the_network_reads_by_itself) {
    const int cold = make_cold(file("small", "content"));
    asker who;
    EXPECT_EQ(disk->bring_in(who, cold, 0, 1000).value, 1000);
    ::close(cold);
}

TEST_F(uring_disk_test, brings_in_a_mapping) {
    const int cold = make_cold(file("mapped", std::string(100'000, 'x')));
    void *address = mmap(nullptr, 100'000, PROT_READ, MAP_SHARED, cold, 0);
    asker who;
    who.takes(disk->bring_in(who, address, 100'000));
    until([&] { return who.ready(); });
    EXPECT_EQ(who.answer().error, 0);
    munmap(address, 100'000);
    ::close(cold);
}

} // namespace
} // namespace httpd
