// A file that is written whole or not at all: into `PATH.partial`, which takes the name when commit() has seen no error. So a
// file can be converted into itself, and a full disk leaves what was there. Of a symbolic link, it is the file behind it. What
// is there and no regular file, as a pipe or /dev/null, is written in place: to replace it would remove it. "-" is the
// standard output.
#pragma once

#include <fstream>
#include <ostream>
#include <string>

namespace replay {

class output_file {
public:
    explicit output_file(const std::string &path); // std::system_error
    ~output_file();
    output_file(const output_file &) = delete;
    output_file &operator=(const output_file &) = delete;

    std::ostream &stream();
    void commit(); // std::system_error

private:
    std::string path_;
    std::string partial_; // empty: written in place, or committed
    std::ofstream file_;  // not open: the standard output
};

// All of it is on the standard output, or it is a std::system_error.
void print(const std::string &text);

} // namespace replay
