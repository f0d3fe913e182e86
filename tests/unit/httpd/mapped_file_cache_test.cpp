// The cache of mapped files: every rule by itself, with files and mappings that do not exist; then the kernel's own.
#include "cache/mapped_file_cache.hpp"

#include "fuzz/dice.hpp"
#include "httpd/cache_files.hpp"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace httpd {
namespace {

using std::chrono::milliseconds;
using test::ms;
using test::status_of;

// Mappings that stand for nothing: addresses that are counted up, and how long each is.
class address_space {
public:
    mapped_file_cache::mapper mapper() {
        return [this](int descriptor, std::size_t size) {
            latest_descriptor = descriptor;
            if (refusals > 0 || mapped_.size() >= most) {
                refusals = std::max(refusals - 1, 0);
                errno = refusal;
                return MAP_FAILED;
            }
            latest_ += 4096;
            mapped_[latest_] = size;
            return reinterpret_cast<void *>(latest_);
        };
    }
    mapped_file_cache::unmapper unmapper() {
        return [this](void *address, std::size_t size) {
            const auto mapping = mapped_.find(reinterpret_cast<std::uintptr_t>(address));
            unmapped_wrongly += mapping == mapped_.end() || mapping->second != size;
            if (mapping != mapped_.end()) mapped_.erase(mapping);
        };
    }
    std::size_t mapped() const { return mapped_.size(); }
    bool is_mapped(const mapped_file &file) const {
        return mapped_.contains(reinterpret_cast<std::uintptr_t>(file.address()));
    }

    int latest_descriptor = -1;
    int refusals = 0; // how many of the next are refused
    std::size_t most = 1000;
    int refusal = ENOMEM;
    int unmapped_wrongly = 0;

private:
    std::uintptr_t latest_ = 0;
    std::map<std::uintptr_t, std::size_t> mapped_;
};

cache_limits small_limits() {
    cache_limits small;
    small.unused_mappings_max = 3;
    small.unused_mapped_bytes_max = 100;
    small.idle = milliseconds(60000);
    return small;
}

class mapped_file_rules : public testing::Test {
protected:
    mapping_ref map(ino_t inode, off_t size = 10, std::int64_t now_ns = 0) {
        return cache.insert(status_of(inode, size), 5, now_ns).file;
    }
    bool has(ino_t inode, off_t size = 10, std::int64_t now_ns = 0) {
        return cache.find(status_of(inode, size), now_ns) != nullptr;
    }
    void TearDown() override { EXPECT_EQ(space.unmapped_wrongly, 0); }

    address_space space; // outlives the cache
    mapped_file_cache cache{small_limits(), space.unmapper(), space.mapper()};
};

TEST_F(mapped_file_rules, maps_a_file_once_for_all_users) {
    EXPECT_FALSE(has(1));
    const auto first = map(1, 10);
    EXPECT_EQ(first->size(), 10U);
    EXPECT_NE(first->address(), nullptr);
    EXPECT_EQ(space.latest_descriptor, 5);
    EXPECT_EQ(cache.find(status_of(1), 0), first);
    EXPECT_EQ(map(1), first) << "two may have missed it at once";
    EXPECT_EQ(space.mapped(), 1U);
    EXPECT_EQ(cache.statistics().hits, 1U);
    EXPECT_EQ(cache.statistics().misses, 1U);
    EXPECT_EQ(cache.statistics().bytes, 10U);
}

TEST_F(mapped_file_rules, another_version_is_another_file) {
    const auto file = map(1, 10);
    EXPECT_FALSE(has(1, 11));
    EXPECT_FALSE(has(2, 10));
    auto touched = status_of(1, 10);
    ++touched.st_ctim.tv_nsec;
    EXPECT_EQ(cache.find(touched, 0), nullptr);
    EXPECT_NE(map(1, 11), file);
}

TEST_F(mapped_file_rules, an_unused_mapping_stays_and_is_used_again) {
    const auto *address = map(1)->address();
    EXPECT_EQ(space.mapped(), 1U);
    EXPECT_EQ(cache.find(status_of(1), 0)->address(), address);
}

TEST_F(mapped_file_rules, an_empty_file_is_an_entry_without_a_mapping) {
    space.refusals = 1; // it would be refused: mmap() takes no length of nothing
    const auto found = cache.insert(status_of(1, 0), 5, 0);
    ASSERT_EQ(found.error, 0);
    EXPECT_EQ(found.file->address(), nullptr);
    EXPECT_EQ(found.file->size(), 0U);
    EXPECT_TRUE(has(1, 0));
    EXPECT_EQ(space.mapped(), 0U);
    EXPECT_EQ(cache.statistics().entries, 1U);
}

TEST_F(mapped_file_rules, of_too_many_unused_the_one_unused_for_longest_goes) {
    for (ino_t inode = 1; inode <= 3; ++inode) map(inode);
    EXPECT_TRUE(has(1));
    map(4);
    EXPECT_FALSE(has(2));
    EXPECT_TRUE(has(1));
    EXPECT_TRUE(has(3));
    EXPECT_TRUE(has(4));
    EXPECT_EQ(space.mapped(), 3U);
    EXPECT_EQ(cache.statistics().evicted, 1U);
}

TEST_F(mapped_file_rules, of_too_many_unused_bytes_the_ones_unused_for_longest_go) {
    map(1, 40);
    map(2, 40);
    map(3, 21);
    EXPECT_FALSE(has(1, 40));
    EXPECT_TRUE(has(2, 40));
    EXPECT_EQ(cache.statistics().bytes, 61U);
    map(4, 39);
    EXPECT_EQ(cache.statistics().bytes, 100U) << "exactly the limit is within it";
}

TEST_F(mapped_file_rules, a_file_larger_than_all_goes_by_itself) {
    map(1, 40);
    map(2, 101);
    EXPECT_TRUE(has(1, 40));
    EXPECT_FALSE(has(2, 101));
    EXPECT_EQ(cache.statistics().evicted, 1U);
}

TEST_F(mapped_file_rules, what_is_in_use_is_neither_refused_nor_given_up) {
    std::vector<mapping_ref> used;
    for (ino_t inode = 1; inode <= 10; ++inode) used.push_back(map(inode, 50));
    EXPECT_EQ(space.mapped(), 10U);
    cache.expire(1'000'000 * ms);
    EXPECT_EQ(space.mapped(), 10U);
    EXPECT_EQ(cache.statistics().bytes, 500U);
    used.clear();
    EXPECT_EQ(space.mapped(), 2U) << "of the unused, what the bytes allow";
}

TEST_F(mapped_file_rules, without_room_files_are_still_shared_but_do_not_stay) {
    mapped_file_cache off({.unused_mappings_max = 0}, space.unmapper(), space.mapper());
    {
        const auto first = off.insert(status_of(1), 5, 0).file;
        EXPECT_EQ(off.find(status_of(1), 0), first);
    }
    EXPECT_EQ(space.mapped(), 0U);
    EXPECT_EQ(off.statistics().entries, 0U);
}

TEST_F(mapped_file_rules, the_idle_go_after_their_time) {
    map(1, 10, 0);
    map(2, 10, 10 * ms);
    EXPECT_FALSE(cache.expire(60000 * ms - 1));
    EXPECT_EQ(space.mapped(), 2U);
    EXPECT_FALSE(cache.expire(60000 * ms));
    EXPECT_EQ(space.mapped(), 1U);
    EXPECT_TRUE(has(2, 10, 60000 * ms));
    EXPECT_EQ(cache.statistics().expired, 1U);
}

TEST_F(mapped_file_rules, time_without_use_begins_at_the_release) {
    auto file = map(1, 10, 0);
    cache.expire(59000 * ms); // how late it is
    file.reset();
    cache.expire(118999 * ms);
    EXPECT_EQ(space.mapped(), 1U);
    cache.expire(119000 * ms);
    EXPECT_EQ(space.mapped(), 0U);
}

TEST_F(mapped_file_rules, what_is_over_goes_in_portions) {
    mapped_file_cache many({}, space.unmapper(), space.mapper());
    for (ino_t inode = 1; inode <= 40; ++inode) many.insert(status_of(inode), 5, 0);
    EXPECT_TRUE(many.expire(60000 * ms));
    EXPECT_EQ(space.mapped(), 40 - expired_at_once);
    EXPECT_FALSE(many.expire(60000 * ms));
    EXPECT_EQ(space.mapped(), 0U);
}

TEST_F(mapped_file_rules, for_want_of_memory_the_unused_are_given_up) {
    const auto used = map(1);
    map(2);
    map(3);
    space.refusals = 1;
    const auto found = cache.insert(status_of(4), 5, 0);
    EXPECT_EQ(found.error, 0);
    ASSERT_TRUE(found.file);
    EXPECT_EQ(space.mapped(), 2U);
    EXPECT_TRUE(space.is_mapped(*used));
    EXPECT_FALSE(has(2));
    EXPECT_EQ(cache.statistics().evicted, 2U);
}

TEST_F(mapped_file_rules, a_second_refusal_is_the_callers) {
    map(1);
    space.refusals = 2;
    const auto found = cache.insert(status_of(2), 5, 0);
    EXPECT_EQ(found.error, ENOMEM);
    EXPECT_EQ(found.file, nullptr);
    EXPECT_EQ(cache.statistics().entries, 0U);
    EXPECT_TRUE(map(2)) << "it is not remembered";
}

TEST_F(mapped_file_rules, another_error_takes_nothing_from_the_cache) {
    map(1);
    space.refusals = 1;
    space.refusal = EACCES;
    EXPECT_EQ(cache.insert(status_of(2), 5, 0).error, EACCES);
    EXPECT_TRUE(has(1));
}

TEST_F(mapped_file_rules, the_unused_go_with_the_cache) {
    {
        mapped_file_cache another(small_limits(), space.unmapper(), space.mapper());
        another.insert(status_of(1), 5, 0);
        another.insert(status_of(2, 0), 5, 0);
    }
    EXPECT_EQ(space.mapped(), 0U);
}

TEST_F(mapped_file_rules, a_reference_that_outlives_the_cache_is_a_mistake_of_the_program) {
    EXPECT_DEATH(
        {
            mapping_ref file;
            mapped_file_cache another(small_limits(), space.unmapper(), space.mapper());
            file = another.insert(status_of(1), 5, 0).file;
        },
        "");
}

// ---- Against a naive cache ------------------------------------------------------------------------------------------

struct naive_mapping {
    ino_t inode;
    std::size_t size;
    std::size_t users;
    std::int64_t released_ns;
};

class mapping_history {
public:
    explicit mapping_history(std::uint64_t seed) : random_(seed) {}

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            SCOPED_TRACE("step " + std::to_string(i));
            now_ns_ += static_cast<std::int64_t>(random_.below(200)) * ms;
            step();
            compare();
        }
        while (!users_.empty()) release(0);
        compare();
    }

private:
    void step() {
        switch (random_.below(8)) {
        case 0: return expire();
        case 1: return toggle_refusal();
        case 2:
        case 3:
        case 4:
            if (!users_.empty()) release(random_.below(users_.size()));
            return;
        default: return request();
        }
    }

    static std::size_t size_of(ino_t inode) { return inode % 7 == 0 ? 0 : inode * 13 % 120; }
    auto known(ino_t inode) {
        return std::find_if(model_.begin(), model_.end(), [&](const auto &one) { return one.inode == inode; });
    }
    bool make_first_unused_go() { // false: there is none
        const auto first = std::find_if(model_.begin(), model_.end(), [](const auto &one) { return one.users == 0; });
        if (first == model_.end()) return false;
        model_.erase(first);
        return true;
    }

    void request() {
        const ino_t inode = 1 + random_.below(20);
        const auto size = size_of(inode);
        auto file = cache_.find(status_of(inode, static_cast<off_t>(size)), now_ns_);
        ASSERT_EQ(file != nullptr, known(inode) != model_.end());
        if (!file) {
            const bool full = space_.mapped() >= space_.most && size > 0;
            const auto found = cache_.insert(status_of(inode, static_cast<off_t>(size)), 5, now_ns_);
            if (full) {
                while (make_first_unused_go()) {}
            }
            const auto mapped = std::count_if(model_.begin(), model_.end(), [](auto &one) { return one.size > 0; });
            const bool refused = full && static_cast<std::size_t>(mapped) >= space_.most;
            ASSERT_EQ(found.error, refused ? ENOMEM : 0);
            if (refused) return;
            file = found.file;
            model_.push_back({inode, size, 0, 0});
        }
        ++known(inode)->users;
        ASSERT_EQ(file->size(), size);
        users_.emplace_back(inode, std::move(file));
    }

    void release(std::size_t which) {
        const auto inode = users_[which].first;
        users_.erase(users_.begin() + static_cast<std::ptrdiff_t>(which));
        const auto one = known(inode);
        if (--one->users > 0) return;
        const naive_mapping released{one->inode, one->size, 0, now_ns_};
        model_.erase(one);
        if (released.size > small_limits().unused_mapped_bytes_max) return;
        model_.push_back(released);
        while (unused_are_too_many()) make_first_unused_go();
    }

    bool unused_are_too_many() const {
        std::size_t files = 0;
        std::size_t bytes = 0;
        for (const auto &one : model_) {
            files += one.users == 0;
            bytes += one.users == 0 ? one.size : 0;
        }
        return files > small_limits().unused_mappings_max || bytes > small_limits().unused_mapped_bytes_max;
    }

    void expire() {
        if (random_.one_in(5)) now_ns_ += 60000 * ms;
        cache_.expire(now_ns_);
        std::erase_if(model_, [&](auto &one) { return one.users == 0 && one.released_ns + 60000 * ms <= now_ns_; });
    }

    void toggle_refusal() { space_.most = random_.one_in(3) ? random_.below(8) : 1000; }

    void compare() {
        std::size_t mapped = 0;
        std::size_t bytes = 0;
        for (const auto &one : model_) {
            mapped += one.size > 0;
            bytes += one.size;
        }
        ASSERT_EQ(cache_.statistics().entries, model_.size());
        ASSERT_EQ(cache_.statistics().bytes, bytes);
        ASSERT_EQ(space_.mapped(), mapped);
        ASSERT_EQ(space_.unmapped_wrongly, 0);
        for (const auto &[inode, file] : users_) ASSERT_TRUE(file->size() == 0 || space_.is_mapped(*file));
    }

    laio::test::dice random_;
    address_space space_; // outlives the cache
    std::int64_t now_ns_ = 0;
    mapped_file_cache cache_{small_limits(), space_.unmapper(), space_.mapper()};
    std::vector<std::pair<ino_t, mapping_ref>> users_;
    std::vector<naive_mapping> model_; // the latest released is last among the unused
};

TEST(mapped_file_model, does_what_the_naive_one_does) {
    const auto first = laio::test::from_environment("LAIO_FUZZ_SEED", 1);
    for (auto seed = first; seed < first + 20 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("LAIO_FUZZ_SEED=" + std::to_string(seed));
        mapping_history(seed).run(3000);
    }
}

// ---- With real files ------------------------------------------------------------------------------------------------

class mapped_file_on_disk : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "laio-mapped-XXXXXX";
        file_ = ::mkstemp(name.data());
        ASSERT_GE(file_, 0) << std::strerror(errno);
        ::unlink(name.c_str());
        ASSERT_EQ(::pipe(pipe_), 0);
    }
    void TearDown() override {
        for (const int descriptor : {file_, pipe_[0], pipe_[1]}) ::close(descriptor);
    }
    struct stat status() const {
        struct stat status {};
        EXPECT_EQ(::fstat(file_, &status), 0);
        return status;
    }

    int file_ = -1;
    int pipe_[2] = {-1, -1};
    mapped_file_cache cache_{{}, [](void *address, std::size_t size) { EXPECT_EQ(::munmap(address, size), 0); }};
};

TEST_F(mapped_file_on_disk, the_mapping_is_the_file) {
    ASSERT_EQ(::write(file_, "hello", 5), 5);
    const auto found = cache_.insert(status(), file_, 0);
    ASSERT_EQ(found.error, 0);
    ASSERT_EQ(found.file->size(), 5U);
    ASSERT_EQ(::write(pipe_[1], found.file->address(), 5), 5);
    char copy[5];
    ASSERT_EQ(::read(pipe_[0], copy, 5), 5);
    EXPECT_EQ(std::string_view(copy, 5), "hello");
}

TEST_F(mapped_file_on_disk, a_call_with_what_was_cut_off_ends_with_efault) {
    ASSERT_EQ(::ftruncate(file_, 4096), 0);
    const auto found = cache_.insert(status(), file_, 0);
    ASSERT_EQ(found.error, 0);
    ASSERT_EQ(::ftruncate(file_, 0), 0);
    EXPECT_EQ(::write(pipe_[1], found.file->address(), 4096), -1);
    EXPECT_EQ(errno, EFAULT);
}

TEST_F(mapped_file_on_disk, a_bad_descriptor_is_an_error) {
    ASSERT_EQ(::write(file_, "x", 1), 1);
    EXPECT_EQ(cache_.insert(status(), -1, 0).error, EBADF);
}

} // namespace
} // namespace httpd
