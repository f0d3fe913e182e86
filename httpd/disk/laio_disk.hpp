// The disk through LAIO: name conversion, status and reads, every call through laio_syscall(). Each function makes one
// call for a task; an outcome in the background is told to the task later, and what it was given by reference belongs to
// the call until then. No state. Other strategies can stand beside this file.
#pragma once

#include "task.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>

namespace httpd::disk {

// Start-up, by a plain call: the document root. Throws std::system_error.
int open_root(const std::string &directory);

// Opens a file beneath `root` for reading. The kernel keeps the walk beneath the root, symbolic links and ".." included
// (EXDEV), also while others rename; EAGAIN: it could not be sure, ask again. Never waits for the other end of a FIFO.
outcome open(task &who, int root, const char *name);
outcome status(task &who, int file, struct stat &result);
// After status() said that this is a regular file: undoes what open() did for the sake of FIFOs.
void make_blocking(task &who, int file);
outcome read(task &who, int file, std::span<char> room, std::int64_t offset);
outcome close(task &who, int file);

} // namespace httpd::disk
