// Callbacks, from the kernel's requests to work for the timetable. The answers are in answers.cpp.
#include "file_system.hpp"

#include <algorithm>
#include <cerrno>

namespace slowfs {

// What libfuse calls: the object is the user's data of the request.
struct file_system::callback {
    static file_system &of(fuse_req_t caller) { return *static_cast<file_system *>(fuse_req_userdata(caller)); }
    static node_number node_of(fuse_ino_t inode) { return static_cast<node_number>(inode - 1); }

    static void init(void *self, fuse_conn_info *connection) {
        static_cast<file_system *>(self)->initialise(*connection);
    }
    static void lookup(fuse_req_t caller, fuse_ino_t parent, const char *name) {
        of(caller).look_up(caller, node_of(parent), name);
    }
    static void getattr(fuse_req_t caller, fuse_ino_t inode, fuse_file_info * /*file*/) {
        of(caller).on_inode(caller, operation::getattr, node_of(inode));
    }
    static void readlink(fuse_req_t caller, fuse_ino_t inode) {
        of(caller).on_inode(caller, operation::readlink, node_of(inode));
    }
    static void statfs(fuse_req_t caller, fuse_ino_t /*inode*/) {
        of(caller).on_inode(caller, operation::statfs, root_node);
    }
    static void open(fuse_req_t caller, fuse_ino_t inode, fuse_file_info * /*file*/) {
        of(caller).open(caller, operation::open, node_of(inode), of(caller).kernel_opens_files_);
    }
    static void opendir(fuse_req_t caller, fuse_ino_t inode, fuse_file_info * /*file*/) {
        of(caller).open(caller, operation::opendir, node_of(inode), of(caller).kernel_opens_folders_);
    }
    static void read(fuse_req_t caller, fuse_ino_t inode, size_t bytes, off_t offset, fuse_file_info * /*file*/) {
        of(caller).read(caller, node_of(inode), bytes, offset);
    }
    static void readdir(fuse_req_t caller, fuse_ino_t inode, size_t bytes, off_t offset, fuse_file_info * /*file*/) {
        of(caller).read_folder(caller, node_of(inode), bytes, offset, false);
    }
    static void readdirplus(fuse_req_t caller, fuse_ino_t inode, size_t bytes, off_t offset,
                            fuse_file_info * /*file*/) {
        of(caller).read_folder(caller, node_of(inode), bytes, offset, true);
    }
};

// What is not here libfuse answers by itself: forgetting with nothing, the rest with ENOSYS. Of that the kernel never sees
// much: the mount is read-only.
const fuse_lowlevel_ops &file_system::callbacks() {
    static const fuse_lowlevel_ops table = [] {
        fuse_lowlevel_ops made{};
        made.init = callback::init;
        made.lookup = callback::lookup;
        made.getattr = callback::getattr;
        made.readlink = callback::readlink;
        made.open = callback::open;
        made.read = callback::read;
        made.opendir = callback::opendir;
        made.readdir = callback::readdir;
        made.readdirplus = callback::readdirplus;
        made.statfs = callback::statfs;
        return made;
    }();
    return table;
}

file_system::file_system(const tree &files, source &bytes, const cost_table &costs, disk &below,
                         const disk_clock &clock, const kernel_options &options)
    : files_(files), source_(bytes), costs_(costs), disk_(below), clock_(clock), options_(options), timetable_(below) {}

void file_system::initialise(fuse_conn_info &connection) {
    connection.max_background = options_.background_max;
    connection.congestion_threshold = options_.background_max / 4 * 3;
    connection.max_read = options_.read_max;
    connection.want |=
        connection.capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_ASYNC_DIO | FUSE_CAP_PARALLEL_DIROPS |
                              FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_CACHE_SYMLINKS);
    // Nothing changes, so no read need ask for attributes first; and what is sent is in memory, where there is nothing to splice.
    connection.want &=
        ~unsigned{FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE};
    kernel_opens_files_ = (connection.capable & FUSE_CAP_NO_OPEN_SUPPORT) != 0;
    kernel_opens_folders_ = (connection.capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
    is_initialised_ = true;
}

void file_system::begin(const request &one, work what) {
    const auto now = clock_.now();
    answer_due(now);
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(requests_.size()));
        requests_.emplace_back();
    }
    const auto ticket = free_.back();
    free_.pop_back();
    requests_[ticket] = one;
    requests_[ticket].begun = now;
    what.price = costs_.of(one.what);
    if (what.last.bytes == 0 && what.price.accesses > 0) what.price = {}; // behind the end there is nothing to go to
    timetable_.begin(ticket, what, now);
}

void file_system::on_inode(fuse_req_t caller, operation what, node_number node) {
    const auto inode = files_.inode_place(node);
    begin({.caller = caller, .what = what, .node = node}, {{}, {inode, files_.name_place(node)}, inode});
}

// Of what is not there the folder's first names are read, once.
void file_system::look_up(fuse_req_t caller, node_number folder, std::string_view name) {
    const auto found = files_.is_folder(folder) ? files_.find(folder, name) : no_node;
    if (found != no_node) {
        on_inode(caller, operation::lookup, found);
        return;
    }
    const place names{files_.at(folder).address, block_bytes};
    begin({.caller = caller, .what = operation::lookup}, {{}, {names, names}, names});
}

// Where it is free and the kernel can do without, it is told to never ask again.
void file_system::open(fuse_req_t caller, operation what, node_number node, bool kernel_can_do_it) {
    if (kernel_can_do_it && costs_.of(what).is_free()) {
        ++statistics_.by_operation[index_of(what)].requests;
        fuse_reply_err(caller, ENOSYS);
        return;
    }
    on_inode(caller, what, node);
}

void file_system::read(fuse_req_t caller, node_number file, std::size_t bytes, off_t offset) {
    const auto &about = files_.at(file);
    const auto from = std::min(static_cast<std::uint64_t>(std::max<off_t>(0, offset)), about.bytes);
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, about.bytes - from));
    int handle = 0;
    if (length > 0) handle = source_.prepare(file, from, length);
    begin({.caller = caller, .what = operation::read, .node = file, .offset = from, .bytes = length, .handle = handle},
          {{}, {files_.name_place(file), files_.inode_place(file)}, {about.address + from, length}});
}

void file_system::read_folder(fuse_req_t caller, node_number folder, std::size_t bytes, off_t offset,
                              bool with_attributes) {
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(bytes, 1U << 20U));
    const auto inode = files_.inode_place(folder);
    begin({.caller = caller,
           .what = operation::readdir,
           .with_attributes = with_attributes,
           .node = folder,
           .offset = static_cast<std::uint64_t>(offset),
           .bytes = length},
          {{},
           {files_.name_place(folder), inode},
           files_.listing_place(folder, static_cast<std::uint64_t>(offset), with_attributes)});
}

} // namespace slowfs
