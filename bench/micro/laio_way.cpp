// See laio_way.hpp.
#include "laio_way.hpp"

#include "common/activation_presence.hpp"
#include "common/ring_presence.hpp"

namespace laio::bench {

laio_options laio_way::options_for(way which) {
    laio_options options{};
    options.size = sizeof options;
    if (which == way::laio_no_ring) options.forbid = LAIO_FORBID_RING;
    else if (which == way::laio_carriers)
        options.forbid = LAIO_FORBID_RING | LAIO_FORBID_READINESS | LAIO_FORBID_ACTIVATIONS;
    else if (which == way::laio_ring) options.flags = LAIO_SOCKETS_IN_RING;
    else if (which == way::laio_promised) options.flags = LAIO_SOCKETS_IN_RING | LAIO_ASSUME_BLOCKING;
    else if (which == way::laio_told) options.flags = LAIO_CLOSES_TOLD | LAIO_ASSUME_BLOCKING;
    else if (which == way::laio_signals_blocked) options.flags = LAIO_SIGNALS_BLOCKED;
    else if (which == way::laio_activations) {
        // The promise saves asking for O_NONBLOCK, which is no part of an activation.
        options.flags = LAIO_ASSUME_BLOCKING;
        options.forbid = LAIO_FORBID_ATTEMPTS;
    }
    return options;
}

std::string laio_way::why_no_ring(way which) {
    const laio_options options = options_for(which);
    must(laio_init(&options), "laio_init");
    std::string why = bench::why_no_ring();
    must(laio_fini(), "laio_fini");
    return why;
}

std::string laio_way::why_no_activations() {
    const laio_options options = options_for(way::laio_activations);
    must(laio_init(&options), "laio_init");
    std::string why = bench::why_no_activations();
    must(laio_fini(), "laio_fini");
    return why;
}

void laio_way::open(int /*fd*/) {
    const laio_options options = options_for(which_);
    must(laio_init(&options), "laio_init");
}

void laio_way::close() {
    if (laio_outstanding() != 0)
        fail("{}: {} calls are still outstanding after a batch", name_of(which_).key, laio_outstanding());
    must(laio_fini(), "laio_fini");
}

} // namespace laio::bench
