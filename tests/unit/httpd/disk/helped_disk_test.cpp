// What the disks with helpers have in common: who asks is told once, equal errands are one, and what vanishes is brought in
// again, but not for ever. The helper here is the test.
#include "disk/helped_disk.hpp"

#include "disk/residency.hpp"

#include "fixture.hpp"

#include <array>
#include <functional>

namespace httpd::test {
namespace {

constexpr std::uint64_t all = 262144;

class disk_by_hand final : public helped_disk {
public:
    disk_by_hand(libevent_multiplexer &loop, int root) : helped_disk(loop, root) {}

    // As a helper would.
    void run_first() {
        const errand what = sent.front();
        sent.erase(sent.begin());
        ++runs;
        const auto result = run_errand(root_, what.order, what.name.c_str(), what.file);
        if (meanwhile) meanwhile(what);
        returned(what, result);
    }
    void fail_first(int error) {
        const errand what = sent.front();
        sent.erase(sent.begin());
        returned(what, errand_result::failure(error));
    }

    std::vector<errand> sent;
    int runs = 0;
    int refuses_with = 0;
    std::function<void(const errand &what)> meanwhile;

private:
    void send(const errand &what) override {
        if (refuses_with != 0) refused(what, refuses_with);
        else sent.push_back(what);
    }
};

class helped_disk_by_hand : public testing::Test {
protected:
    void SetUp() override { files.write("f", bytes_of(all)); }

    directory files;
    libevent_multiplexer loop;
    disk_by_hand disk{loop, files.root};
};

TEST_F(helped_disk_by_hand, ten_equal_errands_are_one) {
    std::array<asker, 10> askers;
    for (auto &who : askers) who.takes(disk.open(who, "f", who.file));
    ASSERT_EQ(disk.sent.size(), 1U);
    disk.run_first();
    for (auto &who : askers) {
        ASSERT_TRUE(who.told);
        EXPECT_FALSE(who.at_once);
        EXPECT_FALSE(who.told->failed());
        EXPECT_EQ(who.file.status.st_size, static_cast<off_t>(all));
        EXPECT_EQ(content_of(who.file.descriptor), bytes_of(all));
        for (auto &other : askers) EXPECT_TRUE(&who == &other || who.file.descriptor != other.file.descriptor);
    }
    EXPECT_TRUE(disk.sent.empty());
}

TEST_F(helped_disk_by_hand, a_name_opened_and_examined_is_two) {
    asker one, two, three;
    one.takes(disk.open(one, "f", one.file));
    two.takes(disk.status(two, "f", two.status));
    three.takes(disk.status(three, "missing", three.status));
    ASSERT_EQ(disk.sent.size(), 3U);
    disk.run_first();
    disk.run_first();
    disk.run_first();
    EXPECT_EQ(two.status.st_size, static_cast<off_t>(all));
    EXPECT_EQ(three.told->error, ENOENT);
}

TEST_F(helped_disk_by_hand, leaves_no_descriptor_behind) {
    const auto before = open_descriptors();
    for (int i = 0; i < 3; ++i) {
        asker one, two;
        one.takes(disk.open(one, "f", one.file));
        two.takes(disk.open(two, "f", two.file));
        disk.run_first();
        EXPECT_EQ(open_descriptors(), before + 2);
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(helped_disk_by_hand, an_asker_may_close_and_ask_again_when_it_is_told) {
    class again final : public task {
    public:
        explicit again(disk_by_hand &disk) : disk_(disk) {}
        void completed(outcome /*result*/) override {
            ::close(std::exchange(file.descriptor, -1));
            EXPECT_TRUE(disk_.open(*this, "f", file).in_background());
        }
        opened_file file;

    private:
        disk_by_hand &disk_;
    };
    again first(disk);
    asker second;
    ASSERT_TRUE(disk.open(first, "f", first.file).in_background());
    second.takes(disk.open(second, "f", second.file));
    disk.run_first();
    EXPECT_EQ(content_of(second.file.descriptor), bytes_of(all));
    EXPECT_EQ(disk.sent.size(), 1U);
    disk.fail_first(EIO); // is not looked at: it asks once more
}

TEST_F(helped_disk_by_hand, errors_are_everybodys) {
    asker one, two;
    one.takes(disk.open(one, "f", one.file));
    two.takes(disk.open(two, "f", two.file));
    disk.fail_first(EIO);
    EXPECT_EQ(one.told->error, EIO);
    EXPECT_EQ(two.told->error, EIO);
    EXPECT_EQ(one.file.descriptor, -1);
}

TEST_F(helped_disk_by_hand, a_refusal_is_told_by_the_loop) {
    disk.refuses_with = EAGAIN;
    asker one, two;
    one.takes(disk.open(one, "f", one.file));
    two.takes(disk.open(two, "g", two.file));
    EXPECT_FALSE(one.told);
    wait_for(loop, one);
    wait_for(loop, two);
    EXPECT_EQ(one.told->error, EAGAIN);
    EXPECT_EQ(two.told->error, EAGAIN);
}

TEST_F(helped_disk_by_hand, cancelled_or_not_the_outcome_comes) {
    asker one;
    one.takes(disk.open(one, "f", one.file));
    one.cancel();
    EXPECT_FALSE(one.told);
    disk.run_first();
    EXPECT_FALSE(one.told->failed());
}

class bringing_in : public helped_disk_by_hand {
protected:
    void SetUp() override {
        helped_disk_by_hand::SetUp();
        file = files.open("f");
        ::posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
        if (look_again(file, 0, all).how != certainty::known) GTEST_SKIP() << "no RWF_NOWAIT on this file system";
        drop(file);
        if (look_for(file, 0, all).bytes != 0) GTEST_SKIP() << "what is in memory stays there on this file system";
    }
    void TearDown() override { ::close(file); }

    int file = -1;
};

TEST_F(bringing_in, only_what_is_absent) {
    asker who;
    who.takes(disk.bring_in(who, file, 0, 10 * all));
    ASSERT_EQ(disk.sent.size(), 1U);
    EXPECT_EQ(disk.sent[0].order.length, all);
    disk.run_first();
    EXPECT_EQ(who.told->value, static_cast<long>(all));
    who.takes(disk.bring_in(who, file, 0, all));
    EXPECT_TRUE(who.at_once);
    EXPECT_EQ(who.told->value, static_cast<long>(all));
}

TEST_F(bringing_in, the_same_bytes_once) {
    std::array<asker, 10> askers;
    for (auto &who : askers) who.takes(disk.bring_in(who, file, 0, 65536));
    EXPECT_EQ(disk.sent.size(), 1U);
    disk.run_first();
    for (const auto &who : askers) EXPECT_EQ(who.told->value, 65536);
}

TEST_F(bringing_in, what_vanishes_again_until_it_is_enough) {
    disk.meanwhile = [this](const errand &) { drop(file); };
    asker who;
    who.takes(disk.bring_in(who, file, 0, all));
    while (!disk.sent.empty()) disk.run_first();
    ASSERT_TRUE(who.told);
    EXPECT_EQ(who.told->value, static_cast<long>(all)); // goes without
    EXPECT_GT(disk.runs, 1);
    EXPECT_LT(disk.runs, 10);
}

TEST_F(bringing_in, what_vanishes_once) {
    int times = 0;
    disk.meanwhile = [&](const errand &) {
        if (times++ == 0) drop(file);
    };
    asker who;
    who.takes(disk.bring_in(who, file, 0, all));
    while (!disk.sent.empty()) disk.run_first();
    EXPECT_EQ(who.told->value, static_cast<long>(all));
    EXPECT_EQ(disk.runs, 2);
}

TEST_F(bringing_in, of_a_file_that_became_shorter) {
    asker who;
    who.takes(disk.bring_in(who, file, 0, all));
    ASSERT_EQ(::truncate(files.path("f").c_str(), 0), 0);
    disk.run_first();
    EXPECT_EQ(who.told->value, static_cast<long>(all)); // sendfile() will find its end
}

// On tmpfs: all of it is likely to be there, but not while somebody reads it for us.
TEST(helped_disk, a_file_under_read_is_not_thought_to_be_there) {
    if (::access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "/dev/shm: " << std::strerror(errno);
    const directory files("/dev/shm");
    files.write("f", bytes_of(all));
    const int file = files.open("f");
    if (look_for(file, 0, all).how != certainty::likely)
        GTEST_SKIP() << "tmpfs has RWF_NOWAIT, or no cachestat(2) here";
    libevent_multiplexer loop;
    disk_by_hand disk(loop, files.root);
    asker one, two;
    one.takes(disk.bring_in(one, file, 0, all));
    EXPECT_TRUE(one.at_once);
    one.takes(disk.bring_in(one, file, all, all)); // beyond the end
    two.takes(disk.bring_in(two, file, 0, all));
    EXPECT_FALSE(one.at_once);
    EXPECT_FALSE(two.at_once);
    ASSERT_EQ(disk.sent.size(), 2U);
    disk.run_first();
    disk.run_first();
    EXPECT_EQ(one.told->value, static_cast<long>(all));
    EXPECT_EQ(two.told->value, static_cast<long>(all));
    two.takes(disk.bring_in(two, file, 0, all));
    EXPECT_TRUE(two.at_once);
    ::close(file);
}

} // namespace
} // namespace httpd::test
