#include "engines/held_descriptor.hpp"

#include "calls/table.hpp"
#include "calls/transfer.hpp"
#include "kernel/file.hpp"
#include "kernel/system_call.hpp"

#include <fcntl.h>

namespace laio {

void held_descriptor::hold(long call, int descriptor) {
    const row *what = number_.load() == none ? find_row(call) : nullptr;
    file_identity file{};
    if (what == nullptr || !waits_for_peer(what->attempt) || identify(descriptor, file) < 0) return;
    if (file.kind == file_kind::regular || file.kind == file_kind::block) return;
    const auto mine = static_cast<int>(system_call(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 0));
    int found = none;
    if (mine >= 0 && !number_.compare_exchange_strong(found, mine)) system_call(SYS_close, mine);
}

void held_descriptor::let_go() {
    if (const int mine = number_.exchange(over); mine >= 0) system_call(SYS_close, mine);
}

} // namespace laio
