// The versions of the server: a row each in versions.cpp, named as in the paper, server-network-disk. Whatever is not in the
// row is the same in all of them.
#pragma once

#include "disk/disk.hpp"
#include "loop/multiplexer.hpp"
#include "net/network.hpp"

#include <memory>
#include <span>
#include <string_view>

namespace httpd {

class connection;
class laio_calls;
struct service;

enum class serving_kind { thttpd, flash };
enum class network_kind { nonblocking, laio, uring };
enum class disk_kind { blocking, laio, laio_reading, aio, helper_processes, helper_threads, uring };

struct version {
    std::string_view name;
    serving_kind serving;
    network_kind net;
    disk_kind files;
};

std::span<const version> all_versions();
const version *find_version(std::string_view name); // nullptr: none

// The strategies of a version, at work. They end in the opposite order.
struct strategies {
    std::unique_ptr<multiplexer> waiting;
    std::unique_ptr<laio_calls> calls; // where one of the others makes them
    std::unique_ptr<network> net;
    std::unique_ptr<disk> files;

    strategies(const version &chosen, int root, unsigned disk_concurrency); // throws std::system_error
    ~strategies();
};

std::unique_ptr<connection> make_connection(const version &chosen, service &shared, int socket);

} // namespace httpd
