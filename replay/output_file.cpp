#include "output_file.hpp"

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <system_error>

namespace replay {
namespace {

// Streams do not say why they failed: errno does, which is cleared before the first byte.
[[noreturn]] void fail(const std::string &path) {
    throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(), path);
}

} // namespace

output_file::output_file(const std::string &path) : path_(path) {
    if (path == "-") {
        path_ = "standard output";
        std::ios::sync_with_stdio(false);
        errno = 0;
        return;
    }
    file_.open(path + ".partial", std::ios::binary | std::ios::trunc);
    if (!file_) fail(path);
    partial_ = path + ".partial";
    errno = 0;
}

output_file::~output_file() {
    if (!partial_.empty()) std::remove(partial_.c_str());
}

std::ostream &output_file::stream() {
    if (partial_.empty()) return std::cout;
    return file_;
}

void output_file::commit() {
    stream().flush();
    const bool is_good = stream().good();
    if (partial_.empty()) {
        if (!is_good) fail(path_);
        return;
    }
    file_.close();
    if (!is_good || !file_ || std::rename(partial_.c_str(), path_.c_str()) != 0) fail(path_);
    partial_.clear();
}

} // namespace replay
