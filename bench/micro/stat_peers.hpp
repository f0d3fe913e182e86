// stat(2) of one name as those do it who cannot tell beforehand whether it blocks: io_uring's statx, a thread that one
// hands it to, and libuv. All but the last on the loop's CPU, as everything else here.
#pragma once

#include "subject.hpp"

#include <memory>
#include <string>

namespace laio::bench {

// For way::liburing, way::thread_pool and way::libuv.
std::unique_ptr<subject> make_stat_peer(way which, const std::string &path);

// Empty, or why there is no libuv.
std::string why_no_libuv();
std::string libuv_version(); // or "none"

} // namespace laio::bench
