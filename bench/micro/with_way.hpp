// From a column to the class that does it: calls `make` with a std::type_identity of the class.
#pragma once

#include "aio_way.hpp"
#include "common/failure.hpp"
#include "laio_way.hpp"
#include "liburing_way.hpp"
#include "plain_ways.hpp"
#include "subject.hpp"

#include <memory>
#include <type_traits>

namespace laio::bench {

template <typename make_type> std::unique_ptr<subject> with_way(way which, make_type make) {
    switch (which) {
    case way::plain: return make(std::type_identity<plain_way>());
    case way::plain_threads: return make(std::type_identity<plain_threads_way>());
    case way::epoll: return make(std::type_identity<epoll_way>());
    case way::laio:
    case way::laio_no_ring:
    case way::laio_ring:
    case way::laio_promised:
    case way::laio_told:
    case way::laio_activations:
    case way::laio_signals_blocked:
    case way::laio_carriers: return make(std::type_identity<laio_way>());
    case way::aio:
    case way::aio_unpinned: return make(std::type_identity<aio_way>());
    case way::liburing: return make(std::type_identity<liburing_way>());
    case way::thread_pool:
    case way::libuv: break;
    }
    fail("{} does not make inputs", name_of(which).key);
}

} // namespace laio::bench
