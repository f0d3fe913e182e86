// Which file systems are local: from texts in the form of proc(5), from this machine's own mounts, and what is
// remembered.
#include "kernel/file_systems.hpp"

#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using laio::file_systems;
using laio::test::in_child;

bool says_local(std::string_view text, std::uint32_t device_major = 8, std::uint32_t device_minor = 1) {
    const std::vector<char> exactly(text.begin(), text.end()); // a sanitizer sees a step beyond it
    return laio::mountinfo_says_local(exactly.data(), exactly.size(), device_major, device_minor);
}

std::string line(const std::string &device, const std::string &type, const std::string &optional = "shared:1 ") {
    return "36 35 " + device + " / /mnt rw,noatime " + optional + "- " + type + " /dev/sda1 rw,errors=continue\n";
}

// ---- Types ---------------------------------------------------------------------------------------------------------

TEST(types, on_own_disks_and_memory_are_local) {
    for (const char *type : {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "tmpfs", "ramfs", "devtmpfs", "squashfs",
                             "erofs", "iso9660", "vfat", "exfat", "jfs"})
        EXPECT_TRUE(says_local(line("8:1", type))) << type;
}

TEST(types, that_ask_somebody_are_not) {
    for (const char *type : {"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs", "afs", "fuse", "fuse.sshfs",
                             "fuseblk", "overlay", "autofs", "glusterfs", "lustre", "ocfs2", "gfs2", "ecryptfs"})
        EXPECT_FALSE(says_local(line("8:1", type))) << type;
}

TEST(types, that_nobody_knows_are_not) {
    for (const char *type : {"", "ext", "ext44", "ext4.x", "xext4", "EXT4", "ext4,", "ext4\\040", "tmp", "rootfs", "-"})
        EXPECT_FALSE(says_local(line("8:1", type))) << type;
}

// ---- Lines ---------------------------------------------------------------------------------------------------------

TEST(lines, have_any_number_of_optional_fields) {
    for (const char *optional : {"", "shared:1 ", "shared:17 master:2 ",
                                 "shared:1 master:2 propagate_from:3 unbindable ", "something:new and_more -not- "})
        EXPECT_TRUE(says_local(line("8:1", "ext4", optional))) << optional;
}

TEST(lines, are_looked_up_by_their_device) {
    const std::string text = line("8:1", "ext4") + line("0:50", "nfs4") + line("8:17", "xfs") + line("0:5", "tmpfs");
    EXPECT_TRUE(says_local(text, 8, 1));
    EXPECT_TRUE(says_local(text, 8, 17));
    EXPECT_TRUE(says_local(text, 0, 5));
    EXPECT_FALSE(says_local(text, 0, 50));
    for (const auto &[device_major, device_minor] :
         {std::pair{8U, 2U}, {8U, 11U}, {8U, 7U}, {1U, 8U}, {0U, 1U}, {88U, 1U}, {0U, 0U}, {8U, 171U}})
        EXPECT_FALSE(says_local(text, device_major, device_minor)) << device_major << ":" << device_minor;
}

TEST(lines, may_have_the_largest_device_numbers) {
    const std::string text = line("4294967295:4294967294", "ext4");
    EXPECT_TRUE(says_local(text, 4294967295U, 4294967294U));
    EXPECT_FALSE(says_local(text, 4294967294U, 4294967295U));
}

// What is mounted over something else on the same point is another device, and is judged for itself.
TEST(lines, of_one_mount_point_are_judged_each_for_its_device) {
    const std::string local_below = "30 1 8:1 / /srv rw - ext4 /dev/sda1 rw\n31 30 0:44 / /srv rw - nfs4 host:/x rw\n";
    EXPECT_TRUE(says_local(local_below, 8, 1));
    EXPECT_FALSE(says_local(local_below, 0, 44));
    const std::string remote_below = "30 1 0:44 / /srv rw - nfs4 host:/x rw\n31 30 8:1 / /srv rw - ext4 /dev/sda1 rw\n";
    EXPECT_TRUE(says_local(remote_below, 8, 1));
    EXPECT_FALSE(says_local(remote_below, 0, 44));
}

TEST(lines, of_one_device_say_the_same) {
    const std::string bound = "30 1 8:1 /a /one rw - ext4 /dev/sda1 rw\n31 1 8:1 /b /two ro - ext4 /dev/sda1 rw\n";
    EXPECT_TRUE(says_local(bound, 8, 1));
}

// The kernel writes a space in a path as \040, a tab as \011, an end of line as \012, a backslash as \134.
TEST(lines, have_escapes_that_divide_no_fields) {
    EXPECT_TRUE(says_local("36 35 8:1 /with\\040space /mnt/a\\040-\\040nfs\\040b rw - ext4 /dev/disk\\040one rw\n"));
    EXPECT_FALSE(says_local("36 35 8:1 /x /mnt/a\\040-\\040ext4\\040b rw - nfs4 host:/a\\040-\\040ext4 rw\n"));
    EXPECT_FALSE(says_local("36 35 0:9 / /mnt/\\01236\\04035\\0408:1 rw - ext4 /dev/sda1 rw\n"));
    EXPECT_TRUE(says_local("36 35 8:1 / /mnt/\\134040\\011\\012 rw - ext4 /dev/sda1 rw\n"));
}

TEST(lines, may_name_paths_and_sources_that_look_like_something_else) {
    EXPECT_TRUE(says_local("36 35 8:1 - - rw - ext4 - rw\n"));
    EXPECT_FALSE(says_local("36 35 8:1 /ext4 /ext4 rw,ext4 - nfs4 ext4 ext4\n"));
    EXPECT_FALSE(says_local("8 1 0:3 /8:1 /8:1 rw - ext4 8:1 rw\n"));
    EXPECT_TRUE(says_local("36 35 8:1 / /mnt rw - tmpfs  rw\n")) << "a mount may have an empty source";
}

TEST(lines, can_be_very_long) {
    const std::string path(100'000, 'p');
    EXPECT_TRUE(says_local("36 35 8:1 /" + path + " /" + path + " rw - xfs /" + path + " rw\n"));
}

// ---- What is not as it should be -----------------------------------------------------------------------------------

TEST(malformed_lines, say_nothing) {
    for (const char *text : {"",
                             "\n",
                             "\n\n\n",
                             " ",
                             " \n",
                             "36\n",
                             "36 35\n",
                             "36 35 \n",
                             "36 35 8:1\n",
                             "36 35 8:1 / /mnt rw\n",
                             "36 35 8:1 / /mnt rw ext4 /dev/sda1 rw\n",
                             "36 35 8:1 / /mnt rw -\n",
                             "36 35 8:1 / /mnt rw - \n",
                             "36 35 8:1 / /mnt rw - ext4\n",
                             "36 35 8:1 / /mnt rw - ext4x\n",
                             "36 35 8:1 / /mnt rw -- ext4 /dev/sda1 rw\n",
                             "36 35 8:1 / /mnt rw -ext4 /dev/sda1 rw\n",
                             "36 35  8:1 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 8: 1 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 8 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 8:1x / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 x8:1 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 +8:+1 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 4294967304:1 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 18446744073709551624:1 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 -18446744073709551608:1 / /mnt rw - ext4 /dev/sda1 rw\n",
                             "36 35 \n8:1 35 0:9 / /mnt rw - ext4 /dev/sda1 rw\n"})
        EXPECT_FALSE(says_local(text)) << text;
}

TEST(malformed_lines, are_passed_over) {
    for (const char *text :
         {"", "nonsense", "36 35 ", "36 35 8:1", "36 35 8:1 / /mnt rw - ", "36 35 8:1 / /mnt rw - nfs",
          "36 35 8:1x / /mnt rw - nfs4 host:/x rw", "- - - - - - - - -"}) {
        EXPECT_TRUE(says_local(std::string(text) + "\n" + line("8:1", "ext4"))) << text;
        EXPECT_TRUE(says_local(line("8:1", "ext4") + text)) << text;
    }
}

TEST(malformed_lines, include_one_that_has_no_end) {
    std::string unfinished = line("8:1", "ext4");
    EXPECT_TRUE(says_local(unfinished));
    while (!unfinished.empty()) {
        unfinished.pop_back();
        EXPECT_FALSE(says_local(unfinished)) << unfinished;
    }
}

TEST(malformed_lines, may_hold_any_byte) {
    EXPECT_FALSE(says_local(std::string("\0\0\0\n", 4)));
    EXPECT_TRUE(says_local(std::string("\0 \0 \xff\n", 6) + line("8:1", "ext4")));
    EXPECT_FALSE(says_local(line("8:1", std::string("ext4\0", 5))));
}

// ---- This machine's mounts -----------------------------------------------------------------------------------------

struct device {
    std::uint32_t major_number;
    std::uint32_t minor_number;
    std::string type;
};

std::vector<device> read_mounts() {
    std::vector<device> devices;
    std::ifstream file("/proc/self/mountinfo");
    for (std::string text; std::getline(file, text);) {
        std::istringstream words(text);
        std::string skipped;
        device one{};
        char colon = 0;
        words >> skipped >> skipped >> one.major_number >> colon >> one.minor_number;
        while (words >> skipped && skipped != "-") {}
        words >> one.type;
        if (words && colon == ':') devices.push_back(one);
    }
    return devices;
}

TEST(this_machine, has_file_systems_of_the_kinds_that_its_mounts_say) {
    const std::set<std::string> local = {"ext2",  "ext3",  "ext4",     "xfs",      "btrfs", "f2fs",
                                         "tmpfs", "ramfs", "devtmpfs", "squashfs", "erofs", "iso9660",
                                         "vfat",  "exfat", "jfs",      "hugetlbfs"};
    const std::vector<device> devices = read_mounts();
    if (devices.empty()) GTEST_SKIP() << "no /proc/self/mountinfo";
    file_systems mounts;
    for (int round = 0; round < 2; ++round) // asked, then remembered as far as there is room
        for (const device &one : devices)
            EXPECT_EQ(mounts.is_local(one.major_number, one.minor_number), local.contains(one.type))
                << one.major_number << ":" << one.minor_number << " " << one.type;
}

TEST(this_machine, does_not_list_what_the_kernel_mounts_for_itself) {
    int ends[2]{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct stat status {};
    ASSERT_EQ(fstat(ends[0], &status), 0);
    file_systems mounts;
    EXPECT_FALSE(mounts.is_local(major(status.st_dev), minor(status.st_dev)));
    close(ends[0]);
    close(ends[1]);
}

// ---- What is remembered --------------------------------------------------------------------------------------------

std::vector<unsigned> opening() {
    return {
#ifdef SYS_open
        SYS_open,
#endif
        SYS_openat, SYS_openat2};
}

const device *find_local(const std::vector<device> &devices) {
    file_systems mounts;
    for (const device &one : devices)
        if (mounts.is_local(one.major_number, one.minor_number)) return &one;
    return nullptr;
}

TEST(an_answer, is_remembered) {
    const std::vector<device> devices = read_mounts();
    const device *local = find_local(devices);
    if (local == nullptr) GTEST_SKIP() << "nothing local is mounted here";
    const auto end = in_child([&] {
        file_systems mounts;
        if (!mounts.is_local(local->major_number, local->minor_number)) return 1L;
        if (!laio::test::refuse_calls(opening(), EPERM)) return laio::test::cannot;
        if (open("/proc/self/mountinfo", O_RDONLY) >= 0) return laio::test::cannot;
        if (!mounts.is_local(local->major_number, local->minor_number)) return 2L;
        return 0L;
    });
    if (end.value == laio::test::cannot) GTEST_SKIP() << "no seccomp filter to be had";
    EXPECT_EQ(end.value, 0) << end;
    EXPECT_TRUE(end.returned) << end;
}

TEST(an_answer, that_could_not_be_had_is_not_remembered) {
    const std::vector<device> devices = read_mounts();
    const device *local = find_local(devices);
    if (local == nullptr) GTEST_SKIP() << "nothing local is mounted here";
    const auto end = in_child([&] {
        file_systems mounts;
        rlimit old{};
        getrlimit(RLIMIT_NOFILE, &old);
        const rlimit none{0, old.rlim_max};
        setrlimit(RLIMIT_NOFILE, &none);
        if (mounts.is_local(local->major_number, local->minor_number)) return 1L;
        setrlimit(RLIMIT_NOFILE, &old);
        if (!mounts.is_local(local->major_number, local->minor_number)) return 2L;
        return 0L;
    });
    EXPECT_TRUE(end.returned) << end;
    EXPECT_EQ(end.value, 0) << "1: local without asking; 2: not asked again";
}

TEST(an_answer, stays_right_after_many_others) {
    const std::vector<device> devices = read_mounts();
    const device *local = find_local(devices);
    if (local == nullptr) GTEST_SKIP() << "nothing local is mounted here";
    file_systems mounts;
    for (std::uint32_t unknown = 0; unknown < 100; ++unknown) {
        ASSERT_TRUE(mounts.is_local(local->major_number, local->minor_number)) << unknown;
        ASSERT_FALSE(mounts.is_local(4'000'000'000U, unknown)) << unknown;
    }
    for (std::uint32_t unknown = 0; unknown < 100; ++unknown) ASSERT_FALSE(mounts.is_local(4'000'000'000U, unknown));
    EXPECT_TRUE(mounts.is_local(local->major_number, local->minor_number));
}

TEST(asking, leaves_no_descriptor_open) {
    const int before = dup(0);
    close(before);
    file_systems mounts;
    EXPECT_FALSE(mounts.is_local(4'000'000'000U, 1));
    const int after = dup(0);
    close(after);
    EXPECT_EQ(before, after);
}

} // namespace
