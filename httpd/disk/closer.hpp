// Closes descriptors for which nobody waits, through the disk strategy: to close a file can wait for a disk. Pools its tasks;
// those at work when it ends are never told, so it has to end before the strategies do.
#pragma once

#include "reusable.hpp"
#include "task.hpp"

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
    reusable<one> pool_;
};

} // namespace httpd
