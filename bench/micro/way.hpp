// The ways of doing one and the same input that the columns of the table compare, and their names.
#pragma once

#include <array>
#include <string>

namespace laio::bench {

enum class way {
    plain,
    epoll,
    laio,
    laio_no_ring,
    laio_ring,
    laio_promised,
    laio_carriers,
    aio,
    aio_unpinned,
    liburing
};

inline constexpr std::array all_ways{way::plain,        way::epoll,         way::laio,          way::laio_no_ring,
                                     way::laio_ring,    way::laio_promised, way::laio_carriers, way::aio,
                                     way::aio_unpinned, way::liburing};

struct way_name {
    const char *key;     // in the JSON and on the command line
    const char *heading; // two lines above the column
    const char *subheading;
    const char *meaning;
};

way_name name_of(way which);

constexpr bool is_laio(way which) {
    return which == way::laio || which == way::laio_no_ring || which == way::laio_ring || which == way::laio_promised ||
           which == way::laio_carriers;
}

constexpr bool is_posix_aio(way which) { return which == way::aio || which == way::aio_unpinned; }

// Empty when this machine can do it, else the reason why not.
std::string why_not(way which);

} // namespace laio::bench
