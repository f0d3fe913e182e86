// See busy_task.hpp.
#include "busy_task.hpp"

#include "common/descriptor.hpp"
#include "common/failure.hpp"
#include "control_group.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace laio::bench {
namespace {

[[noreturn]] void compute(const descriptor &writer) {
    const char begun = 1;
    must(::write(writer.get(), &begun, 1), "write");
    for (volatile unsigned long i = 0;;) i = i + 1;
}

} // namespace

busy_task::busy_task(const affinity &cpus, int cpu, const control_group *group) {
    std::array<int, 2> ends{};
    must(::pipe(ends.data()), "pipe");
    descriptor reader(ends[0]);
    descriptor writer(ends[1]);
    process_ = must(::fork(), "fork");
    if (process_ == 0) {
        reader.reset();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (group != nullptr) group->enter();
        cpus.pin(cpu);
        compute(writer);
    }
    writer.reset();
    char begun = 0;
    if (::read(reader.get(), &begun, 1) != 1) throw std::runtime_error("the busy task did not begin");
}

busy_task::~busy_task() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
}

} // namespace laio::bench
