// pread(2) of 4 KB from a file that is in memory: the price of asking "would it wait?" when it would not.
#include "cases.hpp"
#include "common/failure.hpp"
#include "with_way.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

constexpr std::size_t cached_pages = 64; // small enough for the second-level cache: the copy is the same for all

template <typename way_type> class cached_subject : public subject {
public:
    cached_subject(way which, std::shared_ptr<const test_file> file, bool promised, std::string where, promises &seen)
        : way_(which), promised_(promised && is_laio(which)), file_(std::move(file)), where_(std::move(where)),
          seen_(seen) {}

    void open() override {
        calls_ = 0;
        waits_before_ = way_.waits();
        way_.open(file_->fd());
    }

    void prepare(std::size_t /*operations*/) override {}

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < operations; ++i) {
            const std::size_t page = i % cached_pages;
            const long result = way_.template ready<input::file>({.fd = file_->fd(),
                                                                  .buffer = buffer_.data(),
                                                                  .length = buffer_.size(),
                                                                  .offset = test_file::offset_of(page)});
            if (result != static_cast<long>(page_size) || !test_file::is_page(buffer_.data(), page)) [[unlikely]]
                fail("{}: result {} for page {}, or not that page", where_, result, page);
        }
        calls_ += operations;
    }

    void close() override {
        way_.close();
        if (promised_) count_ready(seen_, where_, calls_, way_.waits() - waits_before_, 0);
    }

private:
    way_type way_;
    bool promised_;
    std::shared_ptr<const test_file> file_;
    std::string where_;
    promises &seen_;
    alignas(64) std::array<char, page_size> buffer_{};
    std::uint64_t calls_ = 0;
    std::uint64_t waits_before_ = 0;
};

} // namespace

std::vector<bench_case> file_cases(const std::string &directory, promises &seen) {
    const auto file = std::make_shared<const test_file>(directory, cached_pages);
    file->load();
    const int nowait_error = file->nowait_error();
    bench_case made;
    made.key = "file_cached";
    made.title = "4 KB of a cached file";
    if (nowait_error != 0)
        // Then nobody can know beforehand whether a read waits, and LAIO gives it to the background.
        made.title += " (no RWF_NOWAIT here: " + error_text(nowait_error) + ")";
    for (const way each : all_ways)
        if (makes_inputs(each) && each != way::epoll) // epoll refuses regular files
            made.ways.push_back(each);
    made.make = [file, nowait_error, &seen](way which) {
        const std::string where = std::string("file_cached/") + name_of(which).key;
        return with_way(which, [&]<typename way_type>(std::type_identity<way_type>) -> std::unique_ptr<subject> {
            return std::make_unique<cached_subject<way_type>>(which, file, nowait_error == 0, where, seen);
        });
    };
    return {std::move(made)};
}

} // namespace laio::bench
