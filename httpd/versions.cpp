#include "versions.hpp"

#include "disk/aio_disk.hpp"
#include "disk/blocking_disk.hpp"
#include "disk/helper_process_disk.hpp"
#include "disk/helper_thread_disk.hpp"
#include "disk/laio_disk.hpp"
#include "disk/laio_reading_disk.hpp"
#include "loop/laio_calls.hpp"
#include "loop/libevent_multiplexer.hpp"
#include "net/laio_network.hpp"
#include "net/nonblocking_network.hpp"
#include "serving/flash.hpp"
#include "serving/thttpd.hpp"
#if LAIO_HAS_URING
#include "disk/uring_disk.hpp"
#include "loop/libevent_uring_multiplexer.hpp"
#include "loop/uring_multiplexer.hpp"
#include "net/uring_network.hpp"
#endif

#include <algorithm>
#include <iterator>

namespace httpd {
namespace {

constexpr version versions[] = {
    version{"thttpd-NB-B", serving_kind::thttpd, network_kind::nonblocking, disk_kind::blocking},
    version{"thttpd-LAIO-LAIO", serving_kind::thttpd, network_kind::laio, disk_kind::laio},
    version{"Flash-NB-B", serving_kind::flash, network_kind::nonblocking, disk_kind::blocking},
    version{"Flash-LAIO-LAIO", serving_kind::flash, network_kind::laio, disk_kind::laio},
    version{"Flash-NB-LAIO", serving_kind::flash, network_kind::nonblocking, disk_kind::laio_reading},
    version{"Flash-NB-AIO", serving_kind::flash, network_kind::nonblocking, disk_kind::aio},
    version{"Flash-NB-AMPED", serving_kind::flash, network_kind::nonblocking, disk_kind::helper_processes},
    version{"Flash-NB-AMTED", serving_kind::flash, network_kind::nonblocking, disk_kind::helper_threads},
#if LAIO_HAS_URING
    version{"Flash-NB-URING", serving_kind::flash, network_kind::nonblocking, disk_kind::uring},
    version{"Flash-URING-URING", serving_kind::flash, network_kind::uring, disk_kind::uring},
#endif
};

template <typename kind, typename... arguments> kind &made_in(std::unique_ptr<multiplexer> &place, arguments... args) {
    auto made = std::make_unique<kind>(args...);
    kind &is = *made;
    place = std::move(made);
    return is;
}

} // namespace

std::span<const version> all_versions() { return versions; }

const version *find_version(std::string_view name) {
    const auto *found =
        std::find_if(std::begin(versions), std::end(versions), [&](const version &one) { return one.name == name; });
    return found == std::end(versions) ? nullptr : found;
}

strategies::strategies(const version &chosen, int root, unsigned disk_concurrency) {
#if LAIO_HAS_URING
    if (chosen.net == network_kind::uring) {
        auto &loop = made_in<uring_multiplexer>(waiting, disk_concurrency);
        net = std::make_unique<uring_network>(loop.ring(), disk_concurrency);
        files =
            std::make_unique<uring_disk>(loop.ring(), root, disk_concurrency, uring_network::through_ring_bytes_max);
        return;
    }
    if (chosen.files == disk_kind::uring) {
        auto &loop = made_in<libevent_uring_multiplexer>(waiting, disk_concurrency);
        net = std::make_unique<nonblocking_network>(loop);
        files = std::make_unique<uring_disk>(loop.ring(), root, disk_concurrency, 0);
        return;
    }
#endif
    auto &events = made_in<libevent_multiplexer>(waiting);
    if (chosen.files == disk_kind::laio || chosen.files == disk_kind::laio_reading)
        calls = std::make_unique<laio_calls>(events, disk_concurrency);
    switch (chosen.net) {
    case network_kind::nonblocking: net = std::make_unique<nonblocking_network>(events); break;
    case network_kind::laio: net = std::make_unique<laio_network>(*calls); break;
    case network_kind::uring: break; // above
    }
    switch (chosen.files) {
    case disk_kind::blocking: files = std::make_unique<blocking_disk>(root); break;
    case disk_kind::laio: files = std::make_unique<laio_disk>(*calls, root); break;
    case disk_kind::laio_reading: files = std::make_unique<laio_reading_disk>(*calls, root); break;
    case disk_kind::aio: files = std::make_unique<aio_disk>(events, root, disk_concurrency); break;
    case disk_kind::helper_processes:
        files = std::make_unique<helper_process_disk>(events, root, disk_concurrency);
        break;
    case disk_kind::helper_threads: files = std::make_unique<helper_thread_disk>(events, root, disk_concurrency); break;
    case disk_kind::uring: break; // above
    }
}

strategies::~strategies() = default;

std::unique_ptr<connection> make_connection(const version &chosen, service &shared, int socket) {
    switch (chosen.serving) {
    case serving_kind::thttpd: return std::make_unique<thttpd_connection>(shared, socket);
    case serving_kind::flash: return std::make_unique<flash_connection>(shared, socket);
    }
    return nullptr;
}

} // namespace httpd
