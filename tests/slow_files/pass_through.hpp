// The file system of the server: what it is asked, it does in an ordinary folder, after the time that the test told for it.
// Runs in the server's threads, one for each call that waits.
#pragma once

#include "control.hpp"

#define FUSE_USE_VERSION 312
#include <fuse.h>

namespace laio::test {

// The folder's descriptor and the shared block; before the first call.
void pass_through_to(int folder, control &shared);

const fuse_operations &pass_through_operations();

} // namespace laio::test
