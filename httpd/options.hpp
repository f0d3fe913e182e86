// What the command line can set, with the defaults. Plain values; main.cpp fills them in.
#pragma once

#include "cache/cache_limits.hpp"
#include "http/request_stream.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace httpd {

struct version;

struct server_options {
    const version *chosen = nullptr;
    std::string directory;
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::uint32_t connections_max = 10000;
    unsigned disk_concurrency = 64; // reads, opens and lookups at once, at most; the blocking ones do one
    request_limits limits;
    cache_limits caches;
    std::string log;  // a file, "-" for standard output, or empty: none
    std::string user; // whose rights to take when all is open; empty: stay
    std::chrono::milliseconds idle_timeout{60000};
    std::chrono::milliseconds head_timeout{10000};
    std::chrono::milliseconds send_timeout{60000};
    std::chrono::milliseconds drain_timeout{5000};
};

} // namespace httpd
