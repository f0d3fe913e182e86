// What is wrong with a file that was read, and where: "NAME:LINE: what". Its what() is what the user is told.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace replay {

class input_error : public std::runtime_error {
public:
    explicit input_error(const std::string &what) : std::runtime_error(what) {}
    input_error(const std::string &name, std::size_t line, const std::string &what)
        : std::runtime_error(name + ":" + std::to_string(line) + ": " + what) {}
};

} // namespace replay
