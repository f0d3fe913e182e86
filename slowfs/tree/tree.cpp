#include "tree.hpp"

#include "listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace slowfs {
namespace {

// As in file systems of today, about.
constexpr std::uint64_t inode_bytes = 256;
constexpr std::uint64_t entry_bytes = 64;

std::uint64_t in_blocks(std::uint64_t bytes) { return (bytes + block_bytes - 1) / block_bytes * block_bytes; }

place block_of(std::uint64_t address, std::uint64_t offset) {
    return {address + offset / block_bytes * block_bytes, block_bytes};
}

} // namespace

tree::tree(const attributes &folders) : folder_attributes_(folders) {
    append(root_node, "", 0, folders);
    folders_by_path_[""] = root_node;
}

node_number tree::append(node_number parent, std::string_view name, std::uint64_t bytes, const attributes &about) {
    if (nodes_.size() >= nodes_max) throw std::invalid_argument(fmt::format("there are more than {} files", nodes_max));
    const auto number = static_cast<node_number>(nodes_.size());
    node &added = nodes_.emplace_back();
    added.name = name;
    added.bytes = S_ISDIR(about.mode) ? 0 : bytes;
    added.about = about;
    added.parent = parent;
    if (S_ISDIR(about.mode)) {
        added.folder = static_cast<std::uint32_t>(folders_.size());
        folders_.emplace_back();
    }
    if (number != root_node) {
        auto &siblings = folders_[nodes_[parent].folder].children;
        nodes_[number].rank = static_cast<std::uint32_t>(siblings.size());
        siblings.push_back(number);
    }
    return number;
}

// Of a path without an end '/'; the root's is empty.
node_number tree::folder_at(std::string_view path) {
    const auto [known, is_new] = folders_by_path_.try_emplace(std::string(path), no_node);
    if (!is_new) return known->second;
    const auto slash = path.rfind('/');
    // Recursion may make the map larger; what is in it stays where it is.
    auto &number = known->second;
    return number = append(folder_at(path.substr(0, slash)), path.substr(slash + 1), 0, folder_attributes_);
}

node_number tree::add(std::string_view path, std::uint64_t bytes, const attributes &about) {
    if (const auto wrong = what_is_wrong_with(path); !wrong.empty()) throw std::invalid_argument(std::string(wrong));
    if (S_ISDIR(about.mode)) {
        const auto number = folder_at(path);
        nodes_[number].about = about;
        return number;
    }
    const auto slash = path.rfind('/');
    return append(folder_at(path.substr(0, slash)), path.substr(slash + 1), bytes, about);
}

void tree::sort_children() {
    for (auto &one : folders_) {
        std::sort(one.children.begin(), one.children.end(),
                  [this](node_number a, node_number b) { return nodes_[a].name < nodes_[b].name; });
        const auto twice =
            std::adjacent_find(one.children.begin(), one.children.end(),
                               [this](node_number a, node_number b) { return nodes_[a].name == nodes_[b].name; });
        if (twice == one.children.end()) continue;
        std::string path;
        path_of(*twice, path);
        throw std::invalid_argument(fmt::format("'{}' is there twice", path));
    }
}

void tree::lay_out() {
    folders_by_path_.clear();
    sort_children();
    for (auto &one : nodes_) {
        one.address = disk_bytes_;
        if (S_ISDIR(one.about.mode)) {
            contents &here = folders_[one.folder];
            here.inodes_address =
                one.address + in_blocks(std::max<std::uint64_t>(1, here.children.size() * entry_bytes));
            one.bytes = here.inodes_address - one.address;
            disk_bytes_ = here.inodes_address + in_blocks(here.children.size() * inode_bytes);
        } else {
            if (one.bytes > file_bytes_max || disk_bytes_ > UINT64_MAX / 4)
                throw std::invalid_argument("the files are too large together");
            disk_bytes_ += in_blocks(one.bytes);
        }
    }
}

const std::vector<node_number> &tree::children(node_number folder) const {
    return folders_[nodes_[folder].folder].children;
}

node_number tree::find(node_number folder, std::string_view name) const {
    const auto &all = children(folder);
    const auto found = std::lower_bound(all.begin(), all.end(), name, [this](node_number a, std::string_view b) {
        return std::string_view(nodes_[a].name) < b;
    });
    return found != all.end() && nodes_[*found].name == name ? *found : no_node;
}

void tree::path_of(node_number number, std::string &path) const {
    path.clear();
    std::size_t length = 0;
    for (auto i = number; i != root_node; i = nodes_[i].parent) length += nodes_[i].name.size() + 1;
    path.resize(length);
    for (auto i = number; i != root_node; i = nodes_[i].parent) {
        const auto &name = nodes_[i].name;
        length -= name.size();
        path.replace(length, name.size(), name);
        path[--length] = '/';
    }
}

place tree::name_place(node_number number) const {
    return block_of(nodes_[nodes_[number].parent].address, nodes_[number].rank * entry_bytes);
}

place tree::inode_place(node_number number) const {
    // The root's own inode stands in no folder.
    if (number == root_node) return {0, block_bytes};
    return block_of(folders_[nodes_[nodes_[number].parent].folder].inodes_address, nodes_[number].rank * inode_bytes);
}

// One block: how far a reply reaches is known only when it is made.
place tree::listing_place(node_number folder, std::uint64_t first, bool with_inodes) const {
    const auto entries = children(folder).size();
    if (first >= entries + 2) return {};
    const auto rank = std::min<std::uint64_t>(first < 2 ? 0 : first - 2, entries == 0 ? 0 : entries - 1);
    if (with_inodes && entries > 0) return block_of(folders_[nodes_[folder].folder].inodes_address, rank * inode_bytes);
    return block_of(nodes_[folder].address, rank * entry_bytes);
}

} // namespace slowfs
