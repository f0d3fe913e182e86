// The files and folders that are shown: names, attributes, and the place of each on the disk. Made once, from a listing or from
// a folder, and never changed after. A node's number is its inode's, less one; the root is number 0. Each folder is laid out
// where it is mentioned first: its names, the inodes of all that is in it, and then files, each in one piece, in the order
// of the listing. So what is listed together lies together, and a folder's metadata lies before its files.
// Everything is owned by two vectors; a node of a large tree takes some 100 bytes and its name.
#pragma once

#include "disk/disk.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace slowfs {

using node_number = std::uint32_t;
inline constexpr node_number root_node = 0;
inline constexpr node_number no_node = UINT32_MAX;
inline constexpr std::size_t nodes_max = 16'777'216;
inline constexpr std::uint32_t block_bytes = 4096;

struct attributes {
    mode_t mode = 0;
    uid_t owner = 0;
    gid_t group = 0;
    std::int64_t modified_s = 0;
};

struct node {
    std::string name;
    std::uint64_t bytes = 0;
    std::uint64_t address = 0; // of a file's first byte, or of a folder's names
    attributes about;
    node_number parent = root_node;
    std::uint32_t rank = 0;   // among those in the same folder, as listed
    std::uint32_t folder = 0; // its index, if it is one
};

class tree {
public:
    // What the root and folders that are only implied by their files' paths look like.
    explicit tree(const attributes &folders);

    // In the order of the listing; folders on the way are made where they are missing. `bytes` of a folder means nothing.
    // Throws std::invalid_argument if the path cannot be added; what is there twice is found by lay_out().
    node_number add(std::string_view path, std::uint64_t bytes, const attributes &about);
    void set_target(node_number link, std::string target) { targets_[link] = std::move(target); }

    // After the last one, once. Throws std::invalid_argument if a name is there twice in a folder.
    void lay_out();

    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] std::uint64_t disk_bytes() const { return disk_bytes_; }
    [[nodiscard]] const node &at(node_number number) const { return nodes_[number]; }
    [[nodiscard]] const std::string &target_of(node_number link) const { return targets_.at(link); }
    [[nodiscard]] bool is_folder(node_number number) const { return S_ISDIR(nodes_[number].about.mode); }
    // Of a folder, in the order of their names.
    [[nodiscard]] const std::vector<node_number> &children(node_number folder) const;
    [[nodiscard]] node_number find(node_number folder, std::string_view name) const;
    // With its leading '/'.
    void path_of(node_number number, std::string &path) const;

    // One block each: where its name stands in its folder, and where its inode is.
    [[nodiscard]] place name_place(node_number number) const;
    [[nodiscard]] place inode_place(node_number number) const;
    // What listing a folder goes to, from its entry `first` on: names, or inodes; of no bytes at its end. Entries 0 and 1 are
    // the folder and the one above.
    [[nodiscard]] place listing_place(node_number folder, std::uint64_t first, bool with_inodes) const;

private:
    struct contents {
        std::vector<node_number> children;
        std::uint64_t inodes_address = 0;
    };
    node_number append(node_number parent, std::string_view name, std::uint64_t bytes, const attributes &about);
    node_number folder_at(std::string_view path);
    void sort_children();

    attributes folder_attributes_;
    std::vector<node> nodes_;
    std::vector<contents> folders_;
    std::unordered_map<node_number, std::string> targets_;
    std::unordered_map<std::string, node_number> folders_by_path_; // until it is laid out
    std::uint64_t disk_bytes_ = 0;
};

} // namespace slowfs
