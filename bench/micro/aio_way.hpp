// POSIX AIO as glibc does it: a thread makes the blocking call, and the caller waits for it in aio_suspend(). Pinned,
// that thread shares the loop's CPU, as everything else does here; unpinned, it may wake up on another one. Functions
// as in plain_ways.hpp.
#pragma once

#include "common/affinity.hpp"
#include "common/failure.hpp"
#include "request.hpp"
#include "way.hpp"

#include <aio.h>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace laio::bench {

class aio_way {
public:
    static constexpr int threads_max = 32;

    explicit aio_way(way which) : pinned_(which == way::aio) {}

    // Once in the process, before the first call: the CPUs are needed by open() and close().
    static void initialise(const affinity &cpus, int cpu);

    void open(int /*fd*/ = -1) const;
    void close() const;
    static std::uint64_t waits() { return 0; }

    template <input kind> long ready(const request &wanted) {
        submit<kind>(wanted);
        return finish<kind>();
    }

    // glibc reads with pread(2), and with read(2) where there is no offset: good for all kinds.
    template <input kind> void submit(const request &wanted) {
        prepare(*block_, wanted);
        must(::aio_read(block_.get()), "aio_read");
    }

    template <input kind> long finish() {
        const aiocb *const list[] = {block_.get()};
        int error = EINPROGRESS;
        while ((error = ::aio_error(block_.get())) == EINPROGRESS) {
            if (::aio_suspend(list, 1, nullptr) != 0 && errno != EINTR) fail("aio_suspend: {}", error_text(errno));
        }
        const long result = ::aio_return(block_.get());
        errno = error;
        return result;
    }

    static void prepare(aiocb &block, const request &wanted) {
        block = aiocb{};
        block.aio_fildes = wanted.fd;
        block.aio_buf = wanted.buffer;
        block.aio_nbytes = wanted.length;
        block.aio_offset = wanted.offset;
        block.aio_sigevent.sigev_notify = SIGEV_NONE;
    }

private:
    bool pinned_;
    // By pointer: glibc's struct has an array of no elements, which a class of ours must not contain.
    std::unique_ptr<aiocb> block_ = std::make_unique<aiocb>();
};

} // namespace laio::bench
