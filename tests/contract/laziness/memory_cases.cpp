// Memory: maps, locks and policies, of this process and of others.
#include "laziness/cases.hpp"

#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr std::size_t page = 4096;

class pages {
public:
    explicit pages(std::size_t count)
        : bytes_{count * page}, start_{mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                            0)} {}
    ~pages() { munmap(start_, bytes_); }
    pages(const pages &) = delete;
    pages &operator=(const pages &) = delete;
    [[nodiscard]] void *start() const { return start_; }

private:
    std::size_t bytes_;
    void *start_;
};

void play_more_maps(stage &s) {
    const pages two{2};
    s.call_for_value(SYS_brk, nullptr);
    s.call_for_value(SYS_mremap, two.start(), 2 * page, page, 0, nullptr);
    s.call(SYS_mremap, 1, page, page, 0, nullptr);
    s.call(SYS_remap_file_pages, two.start(), page, 1, 0, 0);
    s.call(number_of("mseal"), two.start(), page, ~0UL);
    s.call(number_of("map_shadow_stack"), nullptr, 0, ~0U);
    s.call(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
}

void play_memory_locks(stage &s) {
    const pages one{1};
    s.call(SYS_mlock, one.start(), page);
    s.call(SYS_mlock2, one.start(), page, MLOCK_ONFAULT);
    s.call(SYS_mlock2, one.start(), page, ~0U);
    s.call(SYS_munlock, one.start(), page);
    s.call(SYS_mlockall, 0);
    s.call(SYS_munlockall);
}

void play_memory_keys(stage &s) {
    const pages one{1};
    s.call(SYS_pkey_mprotect, one.start(), page, PROT_READ, -1);
    s.call(SYS_pkey_alloc, ~0U, 0);
    s.call(SYS_pkey_free, -1);
}

void play_memory_of_processes(stage &s) {
    std::string from = "copied over";
    std::string to(from.size(), '.');
    const iovec source{from.data(), from.size()};
    const iovec target{to.data(), to.size()};
    s.call(SYS_process_vm_readv, getpid(), &target, 1, &source, 1, 0);
    s.note("bytes", to);
    from = "and back";
    s.call(SYS_process_vm_writev, getpid(), &source, 1, &target, 1, 0);
    s.note("bytes", to);
    s.call(SYS_process_madvise, -1, &source, 1, MADV_COLD, 0);
    s.call(number_of("process_mrelease"), -1, 0);
    s.call_for_descriptor(SYS_userfaultfd, ~0U);
}

void play_memory_policies(stage &s) {
    const pages one{1};
    s.call(SYS_mbind, one.start(), page, 0, nullptr, 0, 0);
    s.call(number_of("set_mempolicy_home_node"), one.start(), page, 0, ~0UL);
    s.call(SYS_set_mempolicy, 0, nullptr, 0);
    int policy = -1;
    s.call(SYS_get_mempolicy, &policy, nullptr, 0, nullptr, 0);
    s.note("policy", static_cast<long>(policy));
    s.call(SYS_migrate_pages, -1, 0, nullptr, nullptr);
    void *address = one.start();
    int status = 0;
    s.call(SYS_move_pages, 0, 1, &address, nullptr, &status, 0);
    s.note("status", static_cast<long>(status));
}

} // namespace

std::span<const generality_case> lazy_memory_cases() {
    static const std::vector<generality_case> cases{
        {"more_maps",
         {SYS_brk, SYS_mremap, SYS_remap_file_pages, number_of("mseal"), number_of("map_shadow_stack"), SYS_membarrier},
         play_more_maps},
        {"memory_locks", {SYS_mlock, SYS_mlock2, SYS_munlock, SYS_mlockall, SYS_munlockall}, play_memory_locks},
        {"memory_keys", {SYS_pkey_mprotect, SYS_pkey_alloc, SYS_pkey_free}, play_memory_keys},
        {"memory_of_processes",
         {SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise, number_of("process_mrelease"),
          SYS_userfaultfd},
         play_memory_of_processes},
        {"memory_policies",
         {SYS_mbind, number_of("set_mempolicy_home_node"), SYS_set_mempolicy, SYS_get_mempolicy, SYS_migrate_pages,
          SYS_move_pages},
         play_memory_policies},
    };
    return cases;
}

} // namespace laio::test
