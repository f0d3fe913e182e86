// A measurement in a process of its own: what it leaves behind (threads, a loop, a CPU, a control group) ends with it.
#pragma once

#include "common/descriptor.hpp"

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <functional>
#include <string>

namespace laio::bench {

class child {
public:
    // Begins it, in a child of this process, which must have one thread.
    child(std::string name, const std::function<nlohmann::ordered_json()> &measure);
    child(const child &) = delete;
    child &operator=(const child &) = delete;
    ~child(); // ends it if result() was not called

    void wait(); // for its end
    // Waits for what it returned. Throws if the child failed: it has said why on standard error.
    nlohmann::ordered_json result();

private:
    std::string name_;
    descriptor reader_;
    std::string text_; // what it has said so far
    pid_t process_ = -1;
};

// Both in one.
inline nlohmann::ordered_json in_child(const std::string &name,
                                       const std::function<nlohmann::ordered_json()> &measure) {
    return child(name, measure).result();
}

} // namespace laio::bench
