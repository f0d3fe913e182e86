// A loop on a ring, tasks that write down what they are told, and files to work with.
#pragma once

#include "loop/uring_multiplexer.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace httpd {

struct asker final : task {
    void completed(outcome result) override { told.push_back(result); }
    // What came of it: at once, or later.
    void takes(outcome result) {
        if (!result.in_background()) told.push_back(result);
    }
    bool ready() const { return !told.empty(); }
    outcome answer() const {
        if (told.size() != 1) throw std::logic_error("told " + std::to_string(told.size()) + " times");
        return told.front();
    }

    std::vector<outcome> told;
};

class on_a_ring : public testing::Test {
protected:
    void SetUp() override {
        try {
            loop.emplace(8);
        } catch (const std::system_error &refused) { GTEST_SKIP() << refused.what(); }
        std::string name = testing::TempDir() + "uring-XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder = name;
    }
    void TearDown() override {
        if (!folder.empty()) std::filesystem::remove_all(folder);
    }

    // Waits until it holds; ctest ends a hang.
    template <typename condition> void until(condition holds) {
        while (!holds()) loop->wait(-1);
    }
    // Lets everything happen that can.
    void turn() {
        for (int i = 0; i < 8; ++i) loop->wait(0);
    }

    std::string file(const std::string &name, const std::string &content) {
        const auto path = folder / name;
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

    std::optional<uring_multiplexer> loop;
    std::filesystem::path folder;
};

struct pair_of_sockets {
    pair_of_sockets() {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0)
            throw std::runtime_error("socketpair");
    }
    pair_of_sockets(const pair_of_sockets &) = delete;
    pair_of_sockets &operator=(const pair_of_sockets &) = delete;
    ~pair_of_sockets() {
        for (const int end : ends) ::close(end);
    }
    int ours() const { return ends[0]; }
    // What there is, without waiting.
    std::string read() const {
        std::string all;
        std::array<char, 65536> some{};
        for (ssize_t length = 0; (length = ::read(ends[1], some.data(), some.size())) > 0;)
            all.append(some.data(), static_cast<std::size_t>(length));
        return all;
    }

    std::array<int, 2> ends{};
};

struct pipe_pair {
    pipe_pair() {
        if (pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    }
    pipe_pair(const pipe_pair &) = delete;
    pipe_pair &operator=(const pipe_pair &) = delete;
    ~pipe_pair() {
        for (const int end : ends) ::close(end);
    }
    std::array<int, 2> ends{};
};

} // namespace httpd
