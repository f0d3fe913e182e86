// Takes down what is in a folder: once, before it is shown. Whatever is made, removed or resized below afterwards is not seen,
// or ends early. What is neither file nor folder nor symbolic link is left out. No state.
#pragma once

#include "tree.hpp"

namespace slowfs {

// In the order of the names, each folder before what is in it; the tree is laid out. How many were left out.
// Throws std::exception, naming the path, where something cannot be looked at.
std::uint64_t take_down(const std::string &folder, tree &into);

// Of a file or folder as it is.
attributes attributes_of(const struct stat &status);

} // namespace slowfs
