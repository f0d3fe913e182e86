// The cache of names beside a naive one, through random histories: vectors in order of use instead of hashes and links.
// LAIO_FUZZ_SEED=n repeats a run.
#include "cache/name_cache.hpp"

#include "fuzz/dice.hpp"
#include "httpd/cache_files.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

namespace httpd {
namespace {

using knowledge = name_cache::knowledge;
using laio::test::dice;
using test::descriptors;
using test::ms;

struct naive_entry {
    std::string name;
    struct stat status; // of a file
    int descriptor;
    int error;
    std::int64_t validated_ns, used_ns;
};

class naive_cache {
public:
    explicit naive_cache(const cache_limits &limits) : limits_(limits) {}

    std::vector<naive_entry> files, errors; // the latest used is last

    static std::vector<naive_entry>::iterator in(std::vector<naive_entry> &all, const std::string &name) {
        return std::find_if(all.begin(), all.end(), [&](const auto &entry) { return entry.name == name; });
    }
    bool is_fresh(const naive_entry &entry, std::int64_t now_ns) const {
        return now_ns < entry.validated_ns + limits_.valid.count() * ms;
    }

    knowledge find(const std::string &name, std::int64_t now_ns) {
        if (const auto entry = in(files, name); entry != files.end()) {
            entry->used_ns = now_ns;
            std::rotate(entry, entry + 1, files.end());
            return is_fresh(files.back(), now_ns) ? knowledge::fresh : knowledge::stale;
        }
        const auto entry = in(errors, name);
        if (entry == errors.end()) return knowledge::none;
        if (!is_fresh(*entry, now_ns)) {
            errors.erase(entry);
            return knowledge::none;
        }
        entry->used_ns = now_ns;
        std::rotate(entry, entry + 1, errors.end());
        return knowledge::fresh;
    }

    void forget(const std::string &name) {
        std::erase_if(files, [&](const auto &entry) { return entry.name == name; });
        std::erase_if(errors, [&](const auto &entry) { return entry.name == name; });
    }

    void insert(const naive_entry &entry) {
        forget(entry.name);
        if (entry.name.size() > limits_.name_bytes_max || entry.error == EIO) return;
        auto &all = entry.error == 0 ? files : errors;
        const auto most = entry.error == 0 ? limits_.files_max : limits_.negative_names_max;
        if (all.size() == most) all.erase(all.begin());
        all.push_back(entry);
    }

    bool renew(const std::string &name, const struct stat &status, std::int64_t now_ns) {
        const auto entry = in(files, name);
        if (entry == files.end()) return false;
        if (entry->status.st_size != status.st_size || entry->status.st_ino != status.st_ino) {
            files.erase(entry);
            return false;
        }
        entry->validated_ns = now_ns;
        return true;
    }

    void expire(std::int64_t now_ns) {
        auto left = expired_at_once;
        for (; left > 0 && !files.empty() && now_ns >= files[0].used_ns + limits_.idle.count() * ms; --left)
            files.erase(files.begin());
        for (; left > 0 && !errors.empty() && now_ns >= errors[0].used_ns + limits_.valid.count() * ms; --left)
            errors.erase(errors.begin());
    }

    template <typename predicate> std::size_t shrink(std::size_t most, predicate in_use) {
        std::size_t given_up = 0;
        for (auto entry = files.begin(); entry != files.end() && given_up < most;) {
            if (in_use(*entry)) {
                ++entry;
            } else {
                entry = files.erase(entry);
                ++given_up;
            }
        }
        return given_up;
    }

private:
    cache_limits limits_;
};

class history {
public:
    history(std::uint64_t seed, const cache_limits &limits) : random_(seed), cache_(limits), naive_(limits) {}

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
            SCOPED_TRACE("step " + std::to_string(i));
            step();
            compare();
        }
    }

private:
    std::string any_name() {
        std::string name = "n" + std::to_string(random_.below(60));
        if (random_.one_in(20)) name.append(30, 'x');
        return name;
    }
    struct stat any_status() {
        return test::status_of(1 + random_.below(2), static_cast<off_t>(1 + random_.below(2)));
    }

    void step() {
        if (!random_.one_in(4)) now_ns_ += static_cast<std::int64_t>(random_.below(3)) * 100 * ms; // meets every limit
        if (random_.one_in(200)) now_ns_ += 5000 * ms;
        switch (random_.below(12)) {
        case 0: return shrink();
        case 1: return forget();
        case 2: return renew();
        case 3: return leave();
        case 4: return expire();
        case 5:
        case 6: return insert();
        default: return find();
        }
    }

    void find() {
        const auto name = any_name();
        const auto found = cache_.find(name, now_ns_);
        ASSERT_EQ(found.known, naive_.find(name, now_ns_)) << name;
        if (found.known == knowledge::none) return;
        if (found.file) {
            ASSERT_EQ(found.file->descriptor(), naive_.files.back().descriptor) << name;
            if (random_.one_in(4)) users_.push_back(found.file);
        } else {
            ASSERT_EQ(found.error, naive_.errors.back().error) << name;
        }
    }

    void insert() {
        naive_entry entry{any_name(), any_status(), -1, 0, now_ns_, now_ns_};
        constexpr int errors[] = {ENOENT, EACCES, EISDIR, EIO};
        if (random_.one_in(2)) {
            entry.error = errors[random_.below(4)];
            cache_.insert(entry.name, entry.error, now_ns_);
        } else {
            auto file = disk_.open(entry.status);
            entry.descriptor = file->descriptor();
            cache_.insert(entry.name, std::move(file), now_ns_);
        }
        naive_.insert(entry);
    }

    void renew() {
        const auto name = any_name();
        const auto status = any_status();
        ASSERT_EQ(cache_.renew(name, status, now_ns_), naive_.renew(name, status, now_ns_)) << name;
    }

    void forget() {
        const auto name = any_name();
        cache_.forget(name);
        naive_.forget(name);
    }

    void expire() {
        cache_.expire(now_ns_);
        naive_.expire(now_ns_);
    }

    void shrink() {
        if (!random_.one_in(5)) return;
        const auto most = random_.below(4);
        ASSERT_EQ(cache_.shrink(most), naive_.shrink(most, [&](const auto &entry) { return used(entry.descriptor); }));
    }

    bool used(int descriptor) const {
        return std::any_of(users_.begin(), users_.end(), [&](auto &file) { return file->descriptor() == descriptor; });
    }

    void leave() {
        if (!users_.empty()) users_.erase(users_.begin() + static_cast<std::ptrdiff_t>(random_.below(users_.size())));
    }

    // Nothing is open but what the naive cache and the users hold, each once.
    void compare() {
        const auto counts = cache_.statistics();
        ASSERT_EQ(counts.entries, naive_.files.size() + naive_.errors.size());
        ASSERT_EQ(counts.negative_entries, naive_.errors.size());
        std::set<int> held;
        for (const auto &entry : naive_.files) held.insert(entry.descriptor);
        for (const auto &file : users_) held.insert(file->descriptor());
        ASSERT_EQ(disk_.still_open(), held.size());
        ASSERT_TRUE(std::all_of(held.begin(), held.end(), [&](int descriptor) { return disk_.is_open(descriptor); }));
        ASSERT_EQ(disk_.closed_wrongly(), 0);
    }

    dice random_;
    descriptors disk_; // outlives the files
    std::int64_t now_ns_ = 0;
    name_cache cache_;
    naive_cache naive_;
    std::vector<file_ref> users_;
};

TEST(name_cache_model, does_what_the_naive_one_does) {
    cache_limits limits;
    limits.name_bytes_max = 20;
    limits.idle = std::chrono::milliseconds(4000);
    const auto first = laio::test::from_environment("LAIO_FUZZ_SEED", 1);
    for (auto seed = first; seed < first + 20 && !HasFailure(); ++seed) {
        SCOPED_TRACE("LAIO_FUZZ_SEED=" + std::to_string(seed));
        limits.files_max = 1 + seed * 7 % 60;
        limits.negative_names_max = 1 + seed % 9;
        history(seed, limits).run(3000);
    }
}

} // namespace
} // namespace httpd
