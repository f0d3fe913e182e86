#include "output_file.hpp"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <system_error>

namespace replay {
namespace {

namespace fs = std::filesystem;

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
    std::error_code ignored;
    const bool is_there = fs::exists(fs::symlink_status(path, ignored));
    if (fs::is_regular_file(path, ignored)) path_ = fs::canonical(path).string();
    if (!is_there || fs::is_regular_file(path, ignored)) partial_ = path_ + ".partial";
    errno = 0;
    file_.open(partial_.empty() ? path_ : partial_, std::ios::binary | std::ios::trunc);
    if (!file_) {
        partial_.clear(); // not ours, if it is there
        fail(path);
    }
    errno = 0;
}

output_file::~output_file() {
    if (!partial_.empty()) std::remove(partial_.c_str());
}

std::ostream &output_file::stream() {
    if (!file_.is_open()) return std::cout;
    return file_;
}

void output_file::commit() {
    stream().flush();
    bool is_good = stream().good();
    if (file_.is_open()) {
        file_.close();
        is_good = is_good && file_.good();
    }
    if (is_good && !partial_.empty()) is_good = std::rename(partial_.c_str(), path_.c_str()) == 0;
    if (!is_good) fail(path_);
    partial_.clear();
}

void print(const std::string &text) {
    output_file out("-");
    out.stream() << text;
    out.commit();
}

} // namespace replay
