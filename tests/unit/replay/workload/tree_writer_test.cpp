#include "workload/tree_writer.hpp"

#include "content.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace {

namespace fs = std::filesystem;

class tree_writer : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "laio-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override { fs::remove_all(folder); }

    std::string tree() const { return (folder / "tree").string(); }
    std::ptrdiff_t things() const { return std::distance(fs::directory_iterator(folder), fs::directory_iterator()); }

    fs::path folder;
};

std::string bytes_of(const fs::path &path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

TEST_F(tree_writer, writes_the_bytes_of_each_file) {
    const std::vector<replay::listed_file> files = {{0, "/empty"}, {1, "/a/b/c"}, {700'001, "/a/b/large"}, {8, "/z/8"}};
    std::uint64_t told = 0;
    replay::write_tree(files, tree(), [&](std::uint64_t written) { told = written; });
    EXPECT_EQ(told, 700'010U);
    EXPECT_EQ(things(), 1);
    for (const auto &one : files) {
        const auto bytes = bytes_of(tree() + one.path);
        EXPECT_EQ(bytes.size(), one.bytes);
        EXPECT_TRUE(replay::content(one.path).matches(0, std::as_bytes(std::span(bytes)))) << one.path;
    }
}

TEST_F(tree_writer, leaves_alone_what_is_there) {
    fs::create_directory(folder / "tree");
    EXPECT_THROW(replay::write_tree({{1, "/a"}}, tree(), [](std::uint64_t) {}), std::runtime_error);
    EXPECT_TRUE(fs::is_empty(folder / "tree"));
}

TEST_F(tree_writer, replaces_what_a_killed_run_left) {
    fs::create_directories(folder / "tree.partial" / "old");
    replay::write_tree({{1, "/a"}}, tree(), [](std::uint64_t) {});
    EXPECT_EQ(things(), 1);
    EXPECT_FALSE(fs::exists(tree() + "/old"));
}

TEST_F(tree_writer, asks_for_room_first) {
    try {
        replay::write_tree({{std::uint64_t{1} << 60, "/a"}}, tree(), [](std::uint64_t) {});
        FAIL() << "there was room for an exabyte";
    } catch (const std::runtime_error &error) {
        EXPECT_NE(std::string(error.what()).find("GB are free"), std::string::npos) << error.what();
    }
    EXPECT_EQ(things(), 0);
}

TEST_F(tree_writer, leaves_nothing_when_writing_fails) {
    ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{100'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    std::string said;
    try {
        replay::write_tree({{1000, "/fits"}, {200'000, "/does/not"}}, tree(), [](std::uint64_t) {});
    } catch (const std::system_error &error) { said = error.what(); }
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_NE(said.find("/does/not: File too large"), std::string::npos) << said;
    EXPECT_EQ(things(), 0);
}

} // namespace
