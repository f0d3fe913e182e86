#include "versions.hpp"

#include "disk/aio_disk.hpp"
#include "disk/blocking_disk.hpp"
#include "disk/helper_process_disk.hpp"
#include "disk/helper_thread_disk.hpp"
#include "disk/laio_disk.hpp"
#include "loop/laio_calls.hpp"
#include "loop/libevent_multiplexer.hpp"
#include "net/laio_network.hpp"
#include "net/nonblocking_network.hpp"
#include "serving/flash.hpp"
#include "serving/thttpd.hpp"

#include <algorithm>
#include <array>

namespace httpd {
namespace {

constexpr std::array versions{
    version{"thttpd-NB-B", serving_kind::thttpd, network_kind::nonblocking, disk_kind::blocking},
    version{"thttpd-LAIO-LAIO", serving_kind::thttpd, network_kind::laio, disk_kind::laio},
    version{"Flash-NB-B", serving_kind::flash, network_kind::nonblocking, disk_kind::blocking},
    version{"Flash-LAIO-LAIO", serving_kind::flash, network_kind::laio, disk_kind::laio},
    version{"Flash-NB-LAIO", serving_kind::flash, network_kind::nonblocking, disk_kind::laio},
    version{"Flash-NB-AIO", serving_kind::flash, network_kind::nonblocking, disk_kind::aio},
    version{"Flash-NB-AMPED", serving_kind::flash, network_kind::nonblocking, disk_kind::helper_processes},
    version{"Flash-NB-AMTED", serving_kind::flash, network_kind::nonblocking, disk_kind::helper_threads},
};

} // namespace

std::span<const version> all_versions() { return versions; }

const version *find_version(std::string_view name) {
    const auto *found =
        std::find_if(versions.begin(), versions.end(), [&](const version &one) { return one.name == name; });
    return found == versions.end() ? nullptr : found;
}

strategies::strategies(const version &chosen, int root, unsigned disk_concurrency) {
    auto loop = std::make_unique<libevent_multiplexer>();
    auto &events = *loop;
    waiting = std::move(loop);
    if (chosen.net == network_kind::laio || chosen.files == disk_kind::laio)
        calls = std::make_unique<laio_calls>(events);
    switch (chosen.net) {
    case network_kind::nonblocking: net = std::make_unique<nonblocking_network>(events); break;
    case network_kind::laio: net = std::make_unique<laio_network>(*calls); break;
    }
    switch (chosen.files) {
    case disk_kind::blocking: files = std::make_unique<blocking_disk>(root); break;
    case disk_kind::laio: files = std::make_unique<laio_disk>(*calls, root); break;
    case disk_kind::aio: files = std::make_unique<aio_disk>(events, root, disk_concurrency); break;
    case disk_kind::helper_processes:
        files = std::make_unique<helper_process_disk>(events, root, disk_concurrency);
        break;
    case disk_kind::helper_threads: files = std::make_unique<helper_thread_disk>(events, root, disk_concurrency); break;
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
