// POSIX AIO on a small loop.
#include "disk/aio_disk.hpp"

#include "disk_acts.hpp"

#include <sys/resource.h>

namespace httpd::test {
namespace {

class aio : public disk_acts {
protected:
    void SetUp() override {
#if defined(__SANITIZE_THREAD__)
        GTEST_SKIP()
            << "a thread sanitizer does not know the threads that the C library makes for AIO, and breaks down there";
#else
        disk_acts::SetUp();
#endif
    }
    std::unique_ptr<disk> make_disk(unsigned concurrency) override {
        return std::make_unique<aio_disk>(loop, files.root, concurrency);
    }
};

TEST_F(aio, answers_as_the_disk_does) { disk_acts::answers_as_the_disk_does(); }
TEST_F(aio, many_at_once) { disk_acts::many_at_once(); }
TEST_F(aio, cold_bytes) { disk_acts::cold_bytes(); }
TEST_F(aio, leaves_nothing_behind) { disk_acts::leaves_nothing_behind(); }

TEST_F(aio, tells_an_error) {
    const auto some = make_disk(2);
    const int folder = ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    asker who;
    who.takes(some->bring_in(who, folder, 0, all));
    wait_for(loop, who);
    EXPECT_EQ(who.told->error, EISDIR);
    ::close(folder);
}

// Signals that are queued for the user are counted; with none left, real-time ones would be lost.
TEST_F(aio, where_no_signal_can_be_queued) {
    rlimit before{};
    getrlimit(RLIMIT_SIGPENDING, &before);
    const rlimit none{0, before.rlim_max};
    setrlimit(RLIMIT_SIGPENDING, &none);
    disk_acts::cold_bytes();
    setrlimit(RLIMIT_SIGPENDING, &before);
}

TEST_F(aio, without_a_descriptor_for_a_read) {
    const auto some = make_disk(2);
    const int file = files.open("f");
    drop(file);
    if (look_for(file, 0, all).bytes != 0) GTEST_SKIP() << "what is in memory stays there on this file system";
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none{3, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    asker who;
    who.takes(some->bring_in(who, file, 0, all));
    wait_for(loop, who);
    EXPECT_EQ(who.told->error, EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    who.takes(some->bring_in(who, file, 0, all));
    wait_for(loop, who);
    EXPECT_FALSE(who.told->failed());
    ::close(file);
}

} // namespace
} // namespace httpd::test
