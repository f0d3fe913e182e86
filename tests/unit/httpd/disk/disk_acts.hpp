// What is asked of every disk that has something done elsewhere, on a small loop.
#pragma once

#include "fixture.hpp"

#include "disk/residency.hpp"

#include <memory>

namespace httpd::test {

class disk_acts : public testing::Test {
protected:
    static constexpr std::uint64_t all = 262144;

    void SetUp() override { files.write("f", bytes_of(all)); }
    virtual std::unique_ptr<disk> make_disk(unsigned concurrency) = 0;

    outcome open(disk &from, asker &who, const char *name) {
        who.takes(from.open(who, name, who.file));
        wait_for(loop, who);
        return *who.told;
    }

    void answers_as_the_disk_does() {
        const auto from = make_disk(2);
        ASSERT_EQ(::symlink("/etc/passwd", files.path("out").c_str()), 0);
        ASSERT_EQ(::mkfifo(files.path("fifo").c_str(), 0600), 0);
        ASSERT_EQ(::mkdir(files.path("folder").c_str(), 0700), 0);
        asker file, folder, fifo, none;
        EXPECT_FALSE(open(*from, file, "f").failed());
        EXPECT_EQ(content_of(file.file.descriptor), bytes_of(all));
        EXPECT_EQ(file.file.status.st_size, static_cast<off_t>(all));
        EXPECT_EQ(::fcntl(file.file.descriptor, F_GETFL) & O_NONBLOCK, 0);
        EXPECT_NE(::fcntl(file.file.descriptor, F_GETFD) & FD_CLOEXEC, 0);
        EXPECT_FALSE(open(*from, folder, "folder").failed());
        EXPECT_TRUE(S_ISDIR(folder.file.status.st_mode));
        EXPECT_FALSE(open(*from, fifo, "fifo").failed());
        EXPECT_TRUE(S_ISFIFO(fifo.file.status.st_mode));
        EXPECT_EQ(open(*from, none, "missing").error, ENOENT);
        EXPECT_EQ(open(*from, none, "f/x").error, ENOTDIR);
        EXPECT_EQ(open(*from, none, "out").error, EXDEV);
        EXPECT_EQ(open(*from, none, "../x").error, EXDEV);
        EXPECT_EQ(open(*from, none, std::string(5000, 'x').c_str()).error, ENAMETOOLONG);
        EXPECT_EQ(open(*from, none, std::string(300, 'x').c_str()).error, ENAMETOOLONG);
        EXPECT_EQ(none.file.descriptor, -1);
        none.takes(from->status(none, "f", none.status));
        wait_for(loop, none);
        EXPECT_EQ(none.status.st_size, static_cast<off_t>(all));
        none.takes(from->status(none, "missing", none.status));
        wait_for(loop, none);
        EXPECT_EQ(none.told->error, ENOENT);
        none.takes(from->close(none, std::exchange(file.file.descriptor, -1)));
        wait_for(loop, none);
        EXPECT_FALSE(none.told->failed());
    }

    // More than helpers, of different names: everyone has the file he asked for.
    void many_at_once() {
        constexpr int count = 200;
        for (int i = 0; i < count; ++i) files.write(std::to_string(i), bytes_of(1000, static_cast<unsigned>(i)));
        const auto from = make_disk(4);
        std::vector<asker> askers(count);
        for (int i = 0; i < count; ++i) {
            auto &who = askers[static_cast<std::size_t>(i)];
            who.takes(from->open(who, std::to_string(i).c_str(), who.file));
        }
        for (int i = 0; i < count; ++i) {
            auto &who = askers[static_cast<std::size_t>(i)];
            wait_for(loop, who);
            ASSERT_FALSE(who.told->failed()) << std::strerror(who.told->error);
            EXPECT_EQ(content_of(who.file.descriptor), bytes_of(1000, static_cast<unsigned>(i)));
        }
    }

    // Different ranges of one file at a time, each brought in when it is told.
    void cold_bytes() {
        constexpr std::size_t count = 20;
        files.write("large", bytes_of(count * all));
        const auto from = make_disk(8);
        asker whose;
        ASSERT_FALSE(open(*from, whose, "large").failed());
        const int file = whose.file.descriptor;
        drop(file);
        std::vector<asker> askers(count);
        for (std::size_t i = 0; i < count; ++i)
            askers[i].takes(from->bring_in(askers[i], file, static_cast<off_t>(i * all), all));
        for (auto &who : askers) {
            wait_for(loop, who);
            EXPECT_FALSE(who.told->failed());
            EXPECT_GT(who.told->value, 0);
            EXPECT_LE(who.told->value, static_cast<long>(all));
        }
        EXPECT_EQ(content_of(file), bytes_of(count * all));
        askers[0].takes(from->bring_in(askers[0], file, 0, all)); // now it is there
        EXPECT_TRUE(askers[0].at_once || look_again(file, 0, all).how == certainty::unknown);
        wait_for(loop, askers[0]);
    }

    void leaves_nothing_behind() {
        const auto before = open_descriptors();
        {
            const auto from = make_disk(3);
            std::vector<asker> askers(10);
            for (auto &who : askers) who.takes(from->open(who, "f", who.file));
            for (auto &who : askers) wait_for(loop, who);
            asker reader;
            drop(askers[0].file.descriptor);
            reader.takes(from->bring_in(reader, askers[0].file.descriptor, 0, all));
            wait_for(loop, reader);
        }
        EXPECT_EQ(open_descriptors(), before);
    }

    directory files;
    libevent_multiplexer loop;
};

} // namespace httpd::test
