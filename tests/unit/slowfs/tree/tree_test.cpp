#include "tree/tree.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

using slowfs::attributes;
using slowfs::no_node;
using slowfs::root_node;
using slowfs::tree;

constexpr attributes file{.mode = S_IFREG | 0444};
constexpr attributes folder{.mode = S_IFDIR | 0555};

std::string path_in(const tree &all, slowfs::node_number number) {
    std::string path;
    all.path_of(number, path);
    return path;
}

TEST(tree, finds_what_was_added) {
    tree all(folder);
    const auto deep = all.add("/a/b/c", 5, file);
    const auto next = all.add("/a/b/a", 7, file);
    all.lay_out();
    const auto a = all.find(root_node, "a");
    const auto b = all.find(a, "b");
    EXPECT_TRUE(all.is_folder(a));
    EXPECT_EQ(all.find(b, "c"), deep);
    EXPECT_EQ(all.find(b, "a"), next);
    EXPECT_EQ(all.find(b, ""), no_node);
    EXPECT_EQ(all.find(b, "b"), no_node);
    EXPECT_EQ(all.find(root_node, "c"), no_node);
    EXPECT_EQ(all.children(b), (std::vector{next, deep})) << "by name";
    EXPECT_EQ(all.at(deep).parent, b);
    EXPECT_EQ(all.at(deep).bytes, 5U);
    EXPECT_EQ(all.size(), 5U);
    EXPECT_EQ(path_in(all, deep), "/a/b/c");
    EXPECT_EQ(path_in(all, root_node), "");
}

TEST(tree, knows_folders_that_are_listed) {
    tree all(folder);
    all.add("/a/x", 1, file);
    all.add("/a", 0, {.mode = S_IFDIR | 0700, .modified_s = 5});
    all.add("/empty", 0, folder);
    all.lay_out();
    EXPECT_EQ(all.at(all.find(root_node, "a")).about.mode, mode_t{S_IFDIR | 0700});
    EXPECT_TRUE(all.children(all.find(root_node, "empty")).empty());
}

TEST(tree, refuses_what_is_there_twice) {
    for (const auto *again : {"/a/b", "/a/b/c"}) {
        tree all(folder);
        all.add("/a/b", 1, file);
        all.add(again, 1, file);
        try {
            all.lay_out();
            ADD_FAILURE() << again;
        } catch (const std::invalid_argument &wrong) { EXPECT_STREQ(wrong.what(), "'/a/b' is there twice"); }
    }
    tree all(folder);
    EXPECT_THROW(all.add("a", 1, file), std::invalid_argument);
    EXPECT_THROW(all.add("/a/../b", 1, file), std::invalid_argument);
}

TEST(tree, lays_out_in_the_order_of_the_listing) {
    tree all(folder);
    const auto z = all.add("/z", 5000, file);
    const auto first = all.add("/f/1", 1, file);
    const auto none = all.add("/f/0", 0, file);
    const auto last = all.add("/a", 4096, file);
    all.lay_out();
    const auto f = all.find(root_node, "f");
    // The root's names and inodes, then what is listed.
    EXPECT_EQ(all.at(z).address, 2 * 4096U);
    EXPECT_EQ(all.at(f).address, 4 * 4096U);
    EXPECT_EQ(all.at(first).address, 6 * 4096U);
    EXPECT_EQ(all.at(none).address, 7 * 4096U);
    EXPECT_EQ(all.at(last).address, 7 * 4096U);
    EXPECT_EQ(all.disk_bytes(), 8 * 4096U);
    EXPECT_EQ(all.name_place(z).address, 0U);
    EXPECT_EQ(all.inode_place(z).address, 4096U);
    EXPECT_EQ(all.name_place(first).address, 4 * 4096U);
    EXPECT_EQ(all.inode_place(none).address, 5 * 4096U);
    EXPECT_EQ(all.inode_place(root_node).address, 0U);
}

TEST(tree, metadata_takes_as_many_blocks_as_it_needs) {
    tree all(folder);
    for (int i = 0; i < 100; ++i) all.add("/f/" + std::to_string(i), 1, file);
    all.lay_out();
    const auto f = all.find(root_node, "f");
    const auto first = all.find(f, "0");
    const auto last = all.find(f, "99");
    const auto names = all.at(f).address;
    EXPECT_EQ(all.at(f).bytes, 2 * 4096U) << "64 names a block";
    EXPECT_EQ(all.name_place(first).address, names);
    EXPECT_EQ(all.name_place(last).address, names + 4096);
    EXPECT_EQ(all.inode_place(first).address, names + 2UL * 4096);
    EXPECT_EQ(all.inode_place(last).address, names + 8UL * 4096) << "16 inodes a block";
    EXPECT_EQ(all.at(first).address, names + 9UL * 4096);
}

} // namespace
