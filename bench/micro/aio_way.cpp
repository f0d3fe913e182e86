// See aio_way.hpp.
#include "aio_way.hpp"

namespace laio::bench {
namespace {

const affinity *process_cpus = nullptr;
int process_cpu = 0;

} // namespace

void aio_way::initialise(const affinity &cpus, int cpu) {
    process_cpus = &cpus;
    process_cpu = cpu;
    aioinit settings{};
    settings.aio_threads = threads_max;
    settings.aio_num = 2 * threads_max;
    settings.aio_idle_time = 1;
    ::aio_init(&settings);
}

void aio_way::open(int /*fd*/) const {
    if (!pinned_) process_cpus->release();
}

void aio_way::close() const {
    // Threads made while the process was free keep that freedom: all are pinned again, or end after a second idle.
    if (!pinned_) process_cpus->pin(process_cpu);
}

} // namespace laio::bench
