// What the file system answers with, when it is due.
#include "file_system.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace slowfs {

std::optional<nanoseconds> file_system::next_answer() {
    const auto next = timetable_.next_event();
    return next ? std::optional(clock_.until(*next)) : std::nullopt;
}

void file_system::answer_due(nanoseconds now) {
    while (const auto next = timetable_.take_due(now)) {
        const request one = requests_[next->ticket];
        requests_[next->ticket].caller = nullptr;
        free_.push_back(next->ticket);
        auto &counted = statistics_.by_operation[index_of(one.what)];
        const auto took = next->due - one.begun;
        ++counted.requests;
        counted.together += took;
        counted.longest = std::max(counted.longest, took);
        statistics_.late.count(clock_.real_s(now - next->due));
        answer(one);
    }
}

void file_system::answer_all() {
    for (auto &one : requests_) {
        if (one.caller == nullptr) continue;
        if (one.what == operation::read && one.bytes > 0 && one.handle >= 0) source_.release(one.handle);
        fuse_reply_err(one.caller, EIO);
        one.caller = nullptr;
    }
}

// Whoever has gone away meanwhile is no error: what a reply returns means nothing to us.
void file_system::answer(const request &one) {
    int error = 0;
    switch (one.what) {
    case operation::lookup: answer_look_up(one); break;
    case operation::read: error = answer_read(one); break;
    case operation::readdir: answer_read_folder(one); break;
    case operation::getattr: {
        const auto status = status_of(one.node);
        fuse_reply_attr(one.caller, &status, options_.keep_s);
        break;
    }
    case operation::readlink: fuse_reply_readlink(one.caller, files_.target_of(one.node).c_str()); break;
    case operation::statfs: answer_space(one.caller); break;
    case operation::open:
    case operation::opendir: {
        fuse_file_info file{};
        file.keep_cache = 1;
        file.cache_readdir = 1;
        fuse_reply_open(one.caller, &file);
        break;
    }
    }
    if (error == 0) return;
    ++statistics_.by_operation[index_of(one.what)].errors;
    fuse_reply_err(one.caller, error);
}

struct stat file_system::status_of(node_number number) const {
    const node &one = files_.at(number);
    struct stat status {};
    status.st_ino = number + ino_t{1};
    status.st_mode = one.about.mode;
    status.st_nlink = files_.is_folder(number) ? 2 : 1;
    status.st_uid = one.about.owner;
    status.st_gid = one.about.group;
    status.st_size = static_cast<off_t>(one.bytes);
    status.st_blksize = block_bytes;
    status.st_blocks = static_cast<blkcnt_t>((one.bytes + 511) / 512);
    status.st_atim.tv_sec = status.st_mtim.tv_sec = status.st_ctim.tv_sec = one.about.modified_s;
    return status;
}

fuse_entry_param file_system::entry_of(node_number number) const {
    fuse_entry_param entry{};
    entry.ino = number + fuse_ino_t{1};
    entry.attr = status_of(number);
    entry.attr_timeout = entry.entry_timeout = options_.keep_s;
    return entry;
}

// That a name is not there is kept by the kernel, too: it is told so by an inode of 0.
void file_system::answer_look_up(const request &one) const {
    fuse_entry_param entry{};
    entry.entry_timeout = options_.keep_s;
    if (one.node != no_node) entry = entry_of(one.node);
    fuse_reply_entry(one.caller, &entry);
}

int file_system::answer_read(const request &one) {
    if (one.bytes == 0) {
        fuse_reply_buf(one.caller, nullptr, 0);
        return 0;
    }
    if (one.handle < 0) return -one.handle;
    if (buffer_.size() < one.bytes) buffer_.resize(one.bytes);
    const auto done = source_.read(one.handle, one.node, one.offset, {buffer_.data(), one.bytes});
    if (done < 0) return static_cast<int>(-done);
    statistics_.by_operation[index_of(one.what)].bytes += static_cast<std::uint64_t>(done);
    fuse_reply_buf(one.caller, reinterpret_cast<const char *>(buffer_.data()), static_cast<std::size_t>(done));
    return 0;
}

// Entry number 0 is the folder itself, 1 the one above; an entry's offset is the number of the one after it.
void file_system::answer_read_folder(const request &one) {
    if (buffer_.size() < one.bytes) buffer_.resize(one.bytes);
    auto *const out = reinterpret_cast<char *>(buffer_.data());
    const auto &children = files_.children(one.node);
    std::size_t used = 0;
    for (auto i = one.offset; i < children.size() + 2; ++i) {
        const auto which = i == 0 ? one.node : i == 1 ? files_.at(one.node).parent : children[i - 2];
        const char *name = i == 0 ? "." : i == 1 ? ".." : files_.at(which).name.c_str();
        const auto entry = entry_of(which);
        const auto next = static_cast<off_t>(i + 1);
        const auto room = one.bytes - used;
        const auto size = one.with_attributes
                              ? fuse_add_direntry_plus(one.caller, out + used, room, name, &entry, next)
                              : fuse_add_direntry(one.caller, out + used, room, name, &entry.attr, next);
        if (size > room) break;
        used += size;
    }
    statistics_.by_operation[index_of(one.what)].bytes += used;
    fuse_reply_buf(one.caller, out, used);
}

void file_system::answer_space(fuse_req_t caller) const {
    struct statvfs space {};
    space.f_bsize = space.f_frsize = block_bytes;
    space.f_blocks = (files_.disk_bytes() + block_bytes - 1) / block_bytes;
    space.f_files = files_.size();
    space.f_namemax = NAME_MAX;
    fuse_reply_statfs(caller, &space);
}

} // namespace slowfs
