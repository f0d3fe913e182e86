// The ways of doing one and the same input that the columns of the table compare, and their names.
#pragma once

#include <array>
#include <string>

namespace laio::bench {

enum class way {
    plain,
    plain_threads,
    epoll,
    laio,
    laio_no_ring,
    laio_ring,
    laio_promised,
    laio_told,
    laio_activations,
    laio_signals_blocked,
    laio_carriers,
    aio,
    aio_unpinned,
    liburing,
    thread_pool,
    libuv
};

inline constexpr std::array all_ways{way::plain,
                                     way::plain_threads,
                                     way::epoll,
                                     way::laio,
                                     way::laio_no_ring,
                                     way::laio_ring,
                                     way::laio_promised,
                                     way::laio_told,
                                     way::laio_activations,
                                     way::laio_signals_blocked,
                                     way::laio_carriers,
                                     way::aio,
                                     way::aio_unpinned,
                                     way::liburing,
                                     way::thread_pool,
                                     way::libuv};

struct way_name {
    const char *key;     // in the JSON and on the command line
    const char *heading; // two lines above the column
    const char *subheading;
    const char *meaning;
};

way_name name_of(way which);

constexpr bool is_laio(way which) {
    return which == way::laio || which == way::laio_no_ring || which == way::laio_ring || which == way::laio_promised ||
           which == way::laio_told || which == way::laio_activations || which == way::laio_signals_blocked ||
           which == way::laio_carriers;
}

constexpr bool is_posix_aio(way which) { return which == way::aio || which == way::aio_unpinned; }

// It is there for the inputs of request.hpp; the others for single calls.
constexpr bool makes_inputs(way which) {
    return which != way::thread_pool && which != way::libuv && which != way::laio_signals_blocked;
}

// It leaves threads behind that nobody can end.
constexpr bool needs_process(way which) { return is_posix_aio(which) || which == way::libuv; }

// Empty when this machine can do it, else the reason why not.
std::string why_not(way which);

} // namespace laio::bench
