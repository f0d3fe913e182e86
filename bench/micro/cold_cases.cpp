// Random reads of 4 KB from a file that is not in memory: what the disk is asked for, and how many at a time. Each
// batch evicts the file first and reads pages that no batch before it read, until all were read; reading ahead is off.
// Every page is checked. glibc serves the requests on one descriptor one after the other, so POSIX AIO gets a
// duplicate of the descriptor for each request in flight: otherwise its depth would be 1 whatever is asked for.
#include "cases.hpp"
#include "common/descriptor.hpp"
#include "common/failure.hpp"
#include "with_way.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

constexpr double resident_share_max = 0.01;

// The file and which pages come next; made when the first case wants it, shared by all.
class cold_file {
public:
    cold_file(std::string directory, std::size_t pages) : directory_(std::move(directory)), pages_(pages) {}

    std::string why_not() {
        make();
        file_->evict();
        const double share = file_->resident_share();
        if (share <= resident_share_max) return "";
        return fmt::format("after POSIX_FADV_DONTNEED {:.0f} % of the file are still in memory in {}", 100 * share,
                           directory_);
    }

    // The pages for a batch, none of them in memory.
    std::span<const std::size_t> take(std::size_t count) {
        if (count > order_.size())
            fail("a batch of {} reads is more than the {} pages of the file", count, order_.size());
        if (next_ + count > order_.size()) next_ = 0;
        file_->evict();
        const double share = file_->resident_share();
        if (share > resident_share_max)
            fail("{:.1f} % of the file are back in memory: something else on this machine reads it", 100 * share);
        next_ += count;
        return std::span(order_).subspan(next_ - count, count);
    }

    [[nodiscard]] int fd() const { return file_->fd(); }

private:
    void make() {
        if (file_.has_value()) return;
        file_.emplace(directory_, pages_);
        order_.resize(pages_);
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::shuffle(order_.begin(), order_.end(), std::mt19937_64(1));
    }

    std::string directory_;
    std::size_t pages_;
    std::optional<test_file> file_;
    std::vector<std::size_t> order_;
    std::size_t next_ = 0;
};

struct slot {
    std::size_t page = 0;
    std::unique_ptr<aiocb> block = std::make_unique<aiocb>();
    descriptor own; // POSIX AIO only
    alignas(64) std::array<char, page_size> buffer{};
};

class cold_subject : public subject {
public:
    cold_subject(std::shared_ptr<cold_file> file, std::size_t depth, std::string where)
        : file_(std::move(file)), where_(std::move(where)), slots_(depth) {}

    void prepare(std::size_t operations) override { pages_ = file_->take(operations); }

protected:
    request next(slot &used) {
        used.page = pages_.front();
        pages_ = pages_.subspan(1);
        return {.fd = file_->fd(),
                .buffer = used.buffer.data(),
                .length = used.buffer.size(),
                .offset = test_file::offset_of(used.page)};
    }

    void check(const slot &used, long result) const {
        if (result != static_cast<long>(page_size) || !test_file::is_page(used.buffer.data(), used.page)) [[unlikely]]
            fail("{}: result {} for page {}, or not that page", where_, result, used.page);
    }

    [[nodiscard]] bool left() const { return !pages_.empty(); }
    [[nodiscard]] int fd() const { return file_->fd(); }
    std::vector<slot> &slots() { return slots_; }
    [[nodiscard]] const std::string &where() const { return where_; }

private:
    std::shared_ptr<cold_file> file_;
    std::string where_;
    std::vector<slot> slots_;
    std::span<const std::size_t> pages_;
};

class cold_plain : public cold_subject {
public:
    using cold_subject::cold_subject;
    void open() override {}
    void close() override {}
    void run(std::size_t /*operations*/) override {
        while (left()) {
            const long result = call_now<input::file>(next(slots().front()));
            check(slots().front(), result);
        }
    }
};

class cold_laio : public cold_subject {
public:
    cold_laio(way which, std::shared_ptr<cold_file> file, std::size_t depth, const std::string &where)
        : cold_subject(std::move(file), depth, where), way_(which) {}
    void open() override { way_.open(); }
    void close() override { way_.close(); }

    void run(std::size_t operations) override {
        std::size_t done = 0;
        for (slot &each : slots()) done += start(each);
        std::array<laio_completion, 64> completions{};
        while (done < operations) {
            const int count = laio_way::poll_all(completions.data(), static_cast<int>(completions.size()));
            if (count < 1) fail("{}: laio_poll: {}", where(), error_text(errno));
            for (const laio_completion &each : std::span(completions).first(static_cast<std::size_t>(count))) {
                slot &used = *static_cast<slot *>(each.laio_data);
                check(used, each.laio_return_value);
                done += 1 + start(used);
            }
        }
    }

private:
    // Starts the next read on `used`; how many were done at once because the page was there after all.
    std::size_t start(slot &used) {
        std::size_t done = 0;
        while (left()) {
            const long result = laio_call<input::file>(next(used));
            if (result == -1 && errno == EINPROGRESS) {
                must(laio_setdata(laio_gethandle(), &used), "laio_setdata");
                break;
            }
            check(used, result);
            ++done;
        }
        return done;
    }

    laio_way way_;
};

class cold_aio : public cold_subject {
public:
    cold_aio(way which, std::shared_ptr<cold_file> file, std::size_t depth, const std::string &where)
        : cold_subject(std::move(file), depth, where), way_(which) {}

    void open() override {
        way_.open();
        for (slot &each : slots())
            each.own = descriptor(must(::fcntl(fd(), F_DUPFD_CLOEXEC, 0), "fcntl F_DUPFD_CLOEXEC"));
    }

    void close() override {
        for (slot &each : slots()) each.own.reset();
        way_.close();
    }

    void run(std::size_t operations) override {
        std::vector<const aiocb *> waiting(slots().size(), nullptr); // aio_suspend() passes over null pointers
        for (std::size_t i = 0; i < slots().size() && left(); ++i) start(waiting[i], slots()[i]);
        for (std::size_t done = 0; done < operations;) {
            if (::aio_suspend(waiting.data(), static_cast<int>(waiting.size()), nullptr) != 0 && errno != EINTR)
                fail("aio_suspend: {}", error_text(errno));
            for (std::size_t i = 0; i < slots().size(); ++i) {
                if (waiting[i] == nullptr || ::aio_error(waiting[i]) == EINPROGRESS) continue;
                check(slots()[i], ::aio_return(slots()[i].block.get()));
                ++done;
                waiting[i] = nullptr;
                if (left()) start(waiting[i], slots()[i]);
            }
        }
    }

private:
    void start(const aiocb *&waiting, slot &used) {
        request wanted = next(used);
        wanted.fd = used.own.get();
        aio_way::prepare(*used.block, wanted);
        must(::aio_read(used.block.get()), "aio_read");
        waiting = used.block.get();
    }

    aio_way way_;
};

class cold_liburing : public cold_subject {
public:
    cold_liburing(std::shared_ptr<cold_file> file, std::size_t depth, const std::string &where)
        : cold_subject(std::move(file), depth, where), way_(way::liburing) {}
    void open() override { way_.open(); }
    void close() override { way_.close(); }

    void run(std::size_t operations) override {
        for (std::size_t i = 0; i < slots().size() && left(); ++i)
            way_.prepare<input::file>(next(slots()[i]), &slots()[i]);
        for (std::size_t done = 0; done < operations;) {
            liburing_way::check(io_uring_submit_and_wait(way_.ring(), 1), "io_uring_submit_and_wait");
            io_uring_cqe *entry = nullptr;
            while (io_uring_peek_cqe(way_.ring(), &entry) == 0) {
                slot &used = *static_cast<slot *>(io_uring_cqe_get_data(entry));
                check(used, entry->res);
                io_uring_cqe_seen(way_.ring(), entry);
                ++done;
                if (left()) way_.prepare<input::file>(next(used), &used);
            }
        }
    }

private:
    liburing_way way_;
};

bench_case cold_case(std::size_t depth, std::size_t reads, const std::shared_ptr<cold_file> &file) {
    bench_case made;
    made.key = fmt::format("file_cold_{}", depth);
    made.title = fmt::format("4 KB of a cold file, {} at a time", depth);
    made.ways = {way::laio, way::laio_no_ring, way::aio, way::aio_unpinned, way::liburing};
    if (depth == 1) made.ways.insert(made.ways.begin(), way::plain);
    made.operations = reads;
    made.waits = true;
    made.rare = true;
    made.why_not = [file] { return file->why_not(); };
    made.make = [depth, file, key = made.key](way which) -> std::unique_ptr<subject> {
        const std::string where = key + "/" + name_of(which).key;
        if (which == way::plain) return std::make_unique<cold_plain>(file, depth, where);
        if (is_laio(which)) return std::make_unique<cold_laio>(which, file, depth, where);
        if (which == way::liburing) return std::make_unique<cold_liburing>(file, depth, where);
        return std::make_unique<cold_aio>(which, file, depth, where);
    };
    return made;
}

} // namespace

std::vector<bench_case> cold_cases(const std::string &directory, std::size_t megabytes, std::size_t reads) {
    constexpr std::size_t deep = 32;
    const auto file = std::make_shared<cold_file>(directory, megabytes * 1024 * 1024 / page_size);
    std::vector<bench_case> cases;
    cases.push_back(cold_case(1, reads, file));
    cases.push_back(cold_case(deep, 4 * reads, file));
    return cases;
}

} // namespace laio::bench
