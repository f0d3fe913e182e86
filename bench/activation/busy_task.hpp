// A process that computes and nothing else, on one CPU, for as long as the object lives.
#pragma once

#include "common/affinity.hpp"

#include <sys/types.h>

namespace laio::bench {

class control_group;

class busy_task {
public:
    // In `group`, or where this process is for nullptr. It computes when the constructor returns.
    busy_task(const affinity &cpus, int cpu, const control_group *group);
    busy_task(const busy_task &) = delete;
    busy_task &operator=(const busy_task &) = delete;
    ~busy_task();

private:
    pid_t process_;
};

} // namespace laio::bench
