// Mounts: what asks about them, and errors that leave all as it is, whoever runs the tests.
#include "laziness/cases.hpp"

#include <fcntl.h>

namespace laio::test {
namespace {

void play_mounts(stage &s) {
    const std::string absent = s.path("absent");
    s.call(SYS_mount, absent.c_str(), absent.c_str(), "none", 0, nullptr);
    s.call(SYS_umount2, absent.c_str(), 0);
    s.call(SYS_pivot_root, absent.c_str(), absent.c_str());
    s.call(number_of("sysfs"), 3);
    s.call(number_of("sysfs"), 99);
}

void play_mount_descriptors(stage &s) {
    const std::string root = s.root().path();
    { const descriptor tree = s.call_for_descriptor(number_of("open_tree"), AT_FDCWD, root.c_str(), O_CLOEXEC); }
    s.call(number_of("open_tree_attr"), -1, "absent", 0, nullptr, 0);
    s.call(number_of("move_mount"), -1, "absent", -1, "absent", 0);
    s.call(number_of("fsopen"), nullptr, 0);
    s.call(number_of("fsconfig"), -1, 6, nullptr, nullptr, 0);
    s.call(number_of("fsmount"), -1, 0, 0);
    s.call(number_of("fspick"), AT_FDCWD, "/absent", 0);
    s.call(number_of("mount_setattr"), -1, "absent", 0, nullptr, 0);
}

void play_mount_lists(stage &s) {
    s.call(number_of("statmount"), nullptr, nullptr, 0, 0);
    s.call(number_of("listmount"), nullptr, nullptr, 0, 0);
    s.call(number_of("listns"), nullptr, nullptr, 0, 0);
}

} // namespace

std::span<const generality_case> lazy_mount_cases() {
    static const std::vector<generality_case> cases{
        {"mounts", {SYS_mount, SYS_umount2, SYS_pivot_root, number_of("sysfs")}, play_mounts},
        {"mount_descriptors",
         {number_of("open_tree"), number_of("open_tree_attr"), number_of("move_mount"), number_of("fsopen"),
          number_of("fsconfig"), number_of("fsmount"), number_of("fspick"), number_of("mount_setattr")},
         play_mount_descriptors},
        {"mount_lists", {number_of("statmount"), number_of("listmount"), number_of("listns")}, play_mount_lists},
    };
    return cases;
}

} // namespace laio::test
