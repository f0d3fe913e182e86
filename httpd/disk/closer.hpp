// Closes descriptors for which nobody waits, through the disk strategy: to close a file can wait for a disk. Pools its tasks;
// those at work when it ends are never told, so it has to end before the strategies do.
#pragma once

#include "task.hpp"

#include <memory>
#include <vector>

namespace httpd {

class disk;

class closer {
public:
    explicit closer(disk &files);
    ~closer();
    closer(const closer &) = delete;
    closer &operator=(const closer &) = delete;

    void close(int descriptor);

private:
    class one;

    disk &files_;
    std::vector<std::unique_ptr<one>> all_;
    std::vector<one *> unused_;
};

} // namespace httpd
