// Credentials: asked for, and set to what they are. Security modules and keys: errors that change nothing.
#include "laziness/cases.hpp"

#include <linux/capability.h>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

void play_credentials(stage &s) {
    std::array<unsigned, 3> ids{};
    s.call(SYS_getresuid, ids.data(), ids.data() + 1, ids.data() + 2);
    s.note("saved", static_cast<long>(ids[2]));
    s.call(SYS_setresuid, ids[0], ids[1], ids[2]);
    s.call(SYS_setreuid, ids[0], ids[1]);
    s.call(SYS_setuid, ids[1]);
    s.call(SYS_setfsuid, ids[1]);
    s.call(SYS_getresgid, ids.data(), ids.data() + 1, ids.data() + 2);
    s.note("saved", static_cast<long>(ids[2]));
    s.call(SYS_setresgid, ids[0], ids[1], ids[2]);
    s.call(SYS_setregid, ids[0], ids[1]);
    s.call(SYS_setgid, ids[1]);
    s.call(SYS_setfsgid, ids[1]);
}

void play_group_lists(stage &s) {
    std::vector<gid_t> groups(256);
    const long count = s.call(SYS_getgroups, groups.size(), groups.data());
    s.call(SYS_setgroups, count, groups.data());
}

void play_capabilities(stage &s) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    s.call(SYS_capget, &header, sets.data());
    s.note("effective", static_cast<long>(sets[0].effective));
    s.call(SYS_capset, &header, sets.data());
}

void play_security_modules(stage &s) {
    s.call(number_of("landlock_create_ruleset"), nullptr, 0, 1U); // the version
    s.call(number_of("landlock_add_rule"), -1, 0, nullptr, 0);
    s.call(number_of("landlock_restrict_self"), -1, 0);
    s.call(number_of("lsm_get_self_attr"), ~0U, nullptr, nullptr, 0);
    s.call(number_of("lsm_set_self_attr"), ~0U, nullptr, 0, 0);
    s.call(number_of("lsm_list_modules"), nullptr, nullptr, ~0U);
}

void play_keys(stage &s) {
    s.call(SYS_add_key, nullptr, nullptr, nullptr, 0, 0);
    s.call(SYS_request_key, nullptr, nullptr, nullptr, 0);
    s.call(SYS_keyctl, 9999, 0, 0, 0, 0);
}

} // namespace

std::span<const generality_case> lazy_identity_cases() {
    static const std::vector<generality_case> cases{
        {"credentials",
         {SYS_getresuid, SYS_setresuid, SYS_setreuid, SYS_setuid, SYS_setfsuid, SYS_getresgid, SYS_setresgid,
          SYS_setregid, SYS_setgid, SYS_setfsgid},
         play_credentials},
        {"group_lists", {SYS_getgroups, SYS_setgroups}, play_group_lists},
        {"capabilities", {SYS_capget, SYS_capset}, play_capabilities},
        {"security_modules",
         {number_of("landlock_create_ruleset"), number_of("landlock_add_rule"), number_of("landlock_restrict_self"),
          number_of("lsm_get_self_attr"), number_of("lsm_set_self_attr"), number_of("lsm_list_modules")},
         play_security_modules},
        {"keys", {SYS_add_key, SYS_request_key, SYS_keyctl}, play_keys},
    };
    return cases;
}

} // namespace laio::test
