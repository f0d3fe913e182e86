// A file that is read from its beginning; "-" is the standard input. What cannot be opened, and a folder, is an input_error.
#pragma once

#include <fstream>
#include <istream>
#include <string>

namespace replay {

class input_file {
public:
    explicit input_file(const std::string &path);

    std::istream &stream();
    const std::string &name() const { return name_; } // for errors
    bool is_standard_input() const { return !file_.is_open(); }

private:
    std::string name_;
    std::ifstream file_;
};

} // namespace replay
