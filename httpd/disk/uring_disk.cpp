#include "disk/uring_disk.hpp"

#include "disk/root.hpp"
#include "loop/uring.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

namespace httpd {
namespace {

struct stat stat_of(const struct statx &from) {
    struct stat to {};
    to.st_dev = makedev(from.stx_dev_major, from.stx_dev_minor);
    to.st_ino = from.stx_ino;
    to.st_mode = from.stx_mode;
    to.st_nlink = from.stx_nlink;
    to.st_uid = from.stx_uid;
    to.st_gid = from.stx_gid;
    to.st_rdev = makedev(from.stx_rdev_major, from.stx_rdev_minor);
    to.st_size = static_cast<off_t>(from.stx_size);
    to.st_blksize = static_cast<blksize_t>(from.stx_blksize);
    to.st_blocks = static_cast<blkcnt_t>(from.stx_blocks);
    to.st_atim = {.tv_sec = from.stx_atime.tv_sec, .tv_nsec = from.stx_atime.tv_nsec};
    to.st_mtim = {.tv_sec = from.stx_mtime.tv_sec, .tv_nsec = from.stx_mtime.tv_nsec};
    to.st_ctim = {.tv_sec = from.stx_ctime.tv_sec, .tv_nsec = from.stx_ctime.tv_nsec};
    return to;
}

} // namespace

// One thing that a task asked for, in as many steps as it takes.
class uring_disk::request final : public background_work, public uring_client {
public:
    explicit request(uring_disk &owner) : owner_(owner) {}

    outcome status(task &who, int directory, const char *name, int flags, struct stat &status) {
        status_ = &status;
        add_statx(directory, name, flags);
        return begin(who);
    }

    outcome open(task &who, const char *name, opened_file &file) {
        file_ = &file;
        status_ = &file.status;
        add(&request::opened, [&](auto &entry) { io_uring_prep_openat2(&entry, owner_.root_, name, &how_to_open); });
        return begin(who);
    }

    outcome populate(task &who, const void *address, std::size_t length) {
        add(&request::last_step, [&](auto &entry) {
            io_uring_prep_madvise(&entry, const_cast<void *>(address), static_cast<off_t>(length), MADV_POPULATE_READ);
        });
        return begin(who);
    }

    outcome close(task &who, int file) {
        add(&request::last_step, [&](auto &entry) { io_uring_prep_close(&entry, file); });
        return begin(who);
    }

    void cancel() override { owner_.ring_.cancel(*this, 0); }

    void completed(unsigned /*which*/, int result) override {
        const auto now = (this->*step_)(outcome::of_kernel(result));
        if (now.in_background()) return;
        owner_.requests_.give_back(*this);
        finish(now);
    }

private:
    using step = outcome (request::*)(outcome);

    template <typename preparing> void add(step next, preparing prepare) {
        step_ = next;
        owner_.ring_.add(*this, 0, prepare);
    }

    void add_statx(int directory, const char *name, int flags) {
        add(&request::examined,
            [&](auto &entry) { io_uring_prep_statx(&entry, directory, name, flags, STATX_BASIC_STATS, &examined_); });
    }

    outcome last_step(outcome result) { return result; } // NOLINT(readability-convert-member-functions-to-static)

    outcome examined(outcome result) {
        if (!result.failed()) *status_ = stat_of(examined_);
        return result;
    }

    // The ring gives every statx to a worker thread, which costs a hundred times as much. What the kernel has in memory
    // about an open file is the whole truth if the file is on a disk of this machine; only others have to be asked.
    outcome opened(outcome result) {
        if (result.failed()) return result;
        file_->descriptor = static_cast<int>(result.value);
        const int error =
            ::statx(file_->descriptor, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &examined_);
        if (error == 0 && examined_.stx_dev_major != 0) return opened_and_examined({});
        add_statx(file_->descriptor, "", AT_EMPTY_PATH);
        step_ = &request::opened_and_examined;
        return outcome::later();
    }

    outcome opened_and_examined(outcome result) {
        if (result.failed()) return result;
        *status_ = stat_of(examined_);
        if (S_ISREG(status_->st_mode) && ::fcntl(file_->descriptor, F_SETFL, 0) < 0) return outcome::failure(errno);
        return result;
    }

    uring_disk &owner_;
    step step_ = nullptr;
    opened_file *file_ = nullptr;
    struct stat *status_ = nullptr;
    struct statx examined_ {};
};

uring_disk::uring_disk(uring &ring, int root, unsigned reads_max, std::uint64_t left_to_network)
    : ring_(ring), root_(root), left_to_network_(left_to_network), reads_(ring, reads_max) {}

uring_disk::~uring_disk() {
    if (!ring_.end()) requests_.leak(); // the kernel may still write there
}

outcome uring_disk::status(task &who, const char *name, struct stat &status) {
    return requests_.take(*this).status(who, root_, name, 0, status);
}

outcome uring_disk::open(task &who, const char *name, opened_file &file) {
    return requests_.take(*this).open(who, name, file);
}

outcome uring_disk::bring_in(task &who, int file, off_t offset, std::uint64_t length) {
    if (length <= left_to_network_) return {static_cast<long>(length), 0};
    return reads_.bring_in(who, file, offset, length);
}

outcome uring_disk::bring_in(task &who, const void *address, std::size_t length) {
    return requests_.take(*this).populate(who, address, length);
}

outcome uring_disk::close(task &who, int file) { return requests_.take(*this).close(who, file); }

} // namespace httpd
