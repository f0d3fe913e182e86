// The access log: what gets to the file and when, what is dropped and counted, rotation. A FIFO stands for a file that
// does not keep pace, /dev/full for a disk without room.
#include "access_log.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace httpd {
namespace {

using namespace std::chrono_literals;

constexpr std::time_t example = 784111777; // 1994-11-06T08:49:37Z
constexpr auto no_hang = 60s;

std::string content_of(const std::string &path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::vector<std::string> lines_of(const std::string &text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

void append(access_log &log, const std::string &request_line) {
    log.append({.host = "h", .line = request_line}, example);
}

std::string line(const std::string &request_line) {
    return "h - - [06/Nov/1994:08:49:37 +0000] \"" + request_line + R"(" 200 0 "-" "-")";
}

class access_logs : public ::testing::Test {
protected:
    void SetUp() override {
        setenv("TZ", "UTC", 1);
        std::string pattern = std::filesystem::temp_directory_path() / "access_log_XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        path = folder + "/log";
    }
    void TearDown() override {
        if (fifo >= 0) close(fifo);
        std::filesystem::remove_all(folder);
    }

    // Makes `path` a FIFO that we read.
    void make_fifo() {
        ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
        fifo = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ASSERT_GE(fifo, 0);
        ASSERT_EQ(fcntl(fifo, F_SETFL, 0), 0); // from now on reading waits
    }

    // What is in the FIFO; waits until something is, or the writer has closed it.
    std::string read_fifo() const {
        std::string text(65536, '\0');
        const auto length = read(fifo, text.data(), text.size());
        EXPECT_GE(length, 0);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
        return text;
    }

    std::string folder;
    std::string path;
    int fifo = -1;
};

TEST_F(access_logs, has_all_lines_in_order_at_the_end) {
    constexpr int many = 5000;
    {
        std::ofstream(path) << "before\n";
        access_log log(path);
        for (int i = 0; i < many; ++i) append(log, std::to_string(i));
        EXPECT_TRUE(log.finish(no_hang));
        EXPECT_EQ(log.dropped(), 0U);
        EXPECT_EQ(log.errors(), 0U);
    }
    const auto found = lines_of(content_of(path));
    ASSERT_EQ(found.size(), many + 1U);
    EXPECT_EQ(found[0], "before");
    for (std::size_t i = 0; i < many; ++i) ASSERT_EQ(found[i + 1], line(std::to_string(i)));
}

TEST_F(access_logs, is_written_when_it_is_destroyed) {
    { append(*std::make_unique<access_log>(path), "a"); }
    EXPECT_EQ(content_of(path), line("a") + "\n");
}

TEST_F(access_logs, is_written_without_anybody_asking) {
    make_fifo();
    access_log log(path);
    append(log, "a");
    EXPECT_EQ(read_fifo(), line("a") + "\n"); // the test hangs if it is not
}

TEST_F(access_logs, says_the_local_time) {
    setenv("TZ", "XYZ-05:30", 1);
    access_log log(path);
    append(log, "a");
    log.append({.host = "h", .line = "b"}, example + 1);
    ASSERT_TRUE(log.finish(no_hang));
    const auto found = lines_of(content_of(path));
    ASSERT_EQ(found.size(), 2U);
    EXPECT_NE(found[0].find("[06/Nov/1994:14:19:37 +0530]"), std::string::npos) << found[0];
    EXPECT_NE(found[1].find("[06/Nov/1994:14:19:38 +0530]"), std::string::npos) << found[1];
}

TEST_F(access_logs, drops_whole_lines_and_counts_them_when_the_file_does_not_keep_pace) {
    make_fifo();
    access_log log(path, access_log::block_bytes);
    std::uint64_t appended = 0;
    while (log.dropped() < 100) append(log, std::to_string(appended++)); // ends, for the memory is bounded
    const auto kept = appended - log.dropped();

    std::string text;
    while (static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')) < kept) text += read_fifo();
    EXPECT_EQ(log.dropped(), appended - kept);
    const auto found = lines_of(text);
    ASSERT_EQ(found.size(), kept);
    long before = -1;
    for (const auto &one : found) { // in order, each whole; which are missing depends on when the writer looked
        const auto number = std::strtol(one.c_str() + one.find('"') + 1, nullptr, 10);
        ASSERT_EQ(one, line(std::to_string(number)));
        ASSERT_GT(number, before);
        before = number;
    }

    append(log, "again");
    ASSERT_TRUE(log.finish(no_hang));
    EXPECT_EQ(read_fifo(), line("again") + "\n");
    EXPECT_EQ(log.errors(), 0U);
}

TEST_F(access_logs, ends_though_nobody_reads) {
    make_fifo();
    std::uint64_t appended = 0;
    access_log log(path);
    while (log.dropped() == 0) append(log, std::to_string(appended++));
    EXPECT_FALSE(log.finish(0s)); // it is patient with the reader
    ASSERT_TRUE(log.finish(no_hang));
    const auto text = read_fifo();
    EXPECT_EQ(static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n')) + log.dropped(), appended);
}

TEST_F(access_logs, counts_errors_and_tells_the_first) {
    testing::internal::CaptureStderr();
    access_log log("/dev/full", access_log::block_bytes);
    while (log.errors() < 2) append(log, "a"); // a block that filled, or a second that passed, makes it try again
    EXPECT_TRUE(log.finish(no_hang));
    EXPECT_GT(log.dropped(), 0U);
    EXPECT_GE(log.errors(), 3U);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "laio-httpd: access log /dev/full: No space left on device\n");
}

TEST_F(access_logs, keeps_what_it_could_not_write) {
    testing::internal::CaptureStderr();
    ASSERT_EQ(symlink("/dev/full", path.c_str()), 0);
    access_log log(path);
    append(log, "a");
    while (log.errors() == 0) std::this_thread::yield();
    ASSERT_EQ(unlink(path.c_str()), 0);
    log.reopen();
    append(log, "b");
    EXPECT_TRUE(log.finish(no_hang));
    EXPECT_EQ(content_of(path), line("a") + "\n" + line("b") + "\n");
    EXPECT_EQ(log.dropped(), 0U);
    testing::internal::GetCapturedStderr();
}

TEST_F(access_logs, goes_on_in_a_new_file_after_reopen) {
    access_log log(path);
    append(log, "a");
    std::filesystem::rename(path, path + ".1");
    log.reopen();
    while (!std::filesystem::exists(path)) std::this_thread::yield();
    EXPECT_EQ(content_of(path + ".1"), line("a") + "\n");
    append(log, "b");
    ASSERT_TRUE(log.finish(no_hang));
    EXPECT_EQ(content_of(path + ".1"), line("a") + "\n");
    EXPECT_EQ(content_of(path), line("b") + "\n");
}

TEST_F(access_logs, keeps_the_old_file_if_there_is_no_new_one) {
    testing::internal::CaptureStderr();
    access_log log(path);
    std::filesystem::rename(path, path + ".1");
    std::filesystem::create_directory(path);
    log.reopen();
    append(log, "a");
    EXPECT_TRUE(log.finish(no_hang));
    EXPECT_EQ(content_of(path + ".1"), line("a") + "\n");
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "laio-httpd: access log " + path + ": not reopened: Is a directory\n");
}

TEST_F(access_logs, hyphen_is_standard_output) {
    testing::internal::CaptureStdout();
    {
        access_log log("-");
        append(log, "a");
        log.reopen(); // nothing to do
    }
    EXPECT_EQ(testing::internal::GetCapturedStdout(), line("a") + "\n");
    EXPECT_GE(fcntl(STDOUT_FILENO, F_GETFD), 0);
}

TEST_F(access_logs, that_cannot_be_opened_is_an_error_at_once) {
    EXPECT_THROW(access_log(folder + "/no/log"), std::system_error);
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    EXPECT_THROW(access_log{path}, std::system_error); // nobody reads it
}

} // namespace
} // namespace httpd
