#include "trace/input_file.hpp"

#include "trace/input_error.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <iostream>

namespace replay {

input_file::input_file(const std::string &path) : name_(path) {
    if (path == "-") {
        name_ = "standard input";
        std::ios::sync_with_stdio(false); // or each byte is a call of the C library's
        return;
    }
    file_.open(path, std::ios::binary);
    if (!file_) throw input_error(path + ": " + std::strerror(errno));
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) throw input_error(path + ": is a folder");
}

std::istream &input_file::stream() {
    if (is_standard_input()) return std::cin;
    return file_;
}

} // namespace replay
