// A second, non-blocking way into a pipe, for kernels whose pipes do not know RWF_NOWAIT (before Linux 6.4).
//
// Opening a pipe again through /proc gives a file of its own on the same pipe, so O_NONBLOCK on it is not seen by those
// who share ours. It is closed at once: while it is open the pipe would have one reader, or writer, more.
// Lost: poll(2) and then the blocking call; another process may take the byte in between.
#pragma once

namespace laio {

// `access` is O_RDONLY or O_WRONLY. A descriptor, or a negative errno: -EBADF (`descriptor` itself is not open for that),
// or what open(2) says (no /proc, not allowed).
long open_nonblocking_twin(int descriptor, int access);

} // namespace laio
