// The document root, and how a file beneath it is opened, whichever strategy does it.
#pragma once

#include <linux/openat2.h>

#include <string>

namespace httpd {

// Start-up, by a plain call. Throws std::system_error.
int open_root(const std::string &directory);

// For openat2(2). The walk stays beneath the root. O_NONBLOCK: opening a FIFO or a device must not wait.
// Never written to; it outlives every call.
extern open_how how_to_open;

} // namespace httpd
