#include "client/stop_request.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace replay {

stop_request::stop_request() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

stop_request::~stop_request() { ::close(event_); }

void stop_request::make() noexcept {
    const int interrupted = errno;
    made_ = true;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one); // full: it is readable already
    errno = interrupted;
}

} // namespace replay
