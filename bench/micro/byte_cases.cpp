// A byte at a time, as in the paper's section 7. Three scenarios:
//   ready        write(2) of the byte, then the input: what the paper measured. The write weighs on all ways alike.
//   ready alone  the bytes are in the channel before the clock starts: the input by itself, the harder comparison.
//   not ready    the input first, then the write, then the wait for the input to be complete.
// The bytes follow a pattern and every one is compared.
#include "cases.hpp"
#include "common/channel.hpp"
#include "common/failure.hpp"
#include "with_way.hpp"

#include <unistd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

// A preloaded batch must fit into the smallest buffer, a pipe's 64 KB.
constexpr std::size_t preload_max = 32768;

// Loopback delivers in a softirq, usually before the write returns; a busy machine may leave it to a kernel thread.
constexpr double tcp_excused_share = 0.01;

enum class scenario { ready, ready_alone, not_ready };

unsigned char pattern(std::size_t place) { return static_cast<unsigned char>(place * 7 + 1); }

template <typename way_type, scenario what, input kind> class byte_subject : public subject {
public:
    byte_subject(way which, std::shared_ptr<const channel> bytes, std::string where, promises &seen)
        : way_(which), lazy_(is_laio(which)), channel_(std::move(bytes)), where_(std::move(where)), seen_(seen) {}

    void open() override {
        calls_ = 0;
        waits_before_ = way_.waits();
        way_.open(channel_->reader.get());
    }

    void prepare(std::size_t operations) override {
        if constexpr (what == scenario::ready_alone) {
            std::vector<unsigned char> bytes(operations);
            for (std::size_t i = 0; i < operations; ++i) bytes[i] = pattern(i);
            fill_channel(*channel_, bytes.data(), bytes.size());
        }
    }

    void run(std::size_t operations) override {
        unsigned char got = 0;
        const request wanted{.fd = channel_->reader.get(), .buffer = &got, .length = 1, .offset = 0};
        for (std::size_t i = 0; i < operations; ++i) {
            got = 0;
            const long result = exchange(wanted, pattern(i));
            if (result != 1 || got != pattern(i)) [[unlikely]]
                fail("{}: result {} with byte {}, expected 1 with byte {}", where_, result, got, pattern(i));
        }
        calls_ += operations;
    }

    void close() override {
        way_.close();
        if (!lazy_) return;
        if constexpr (what == scenario::not_ready) seen_.not_ready += calls_;
        else
            count_ready(seen_, where_, calls_, way_.waits() - waits_before_,
                        what == scenario::ready && channel_->kind == channel_kind::tcp ? tcp_excused_share : 0);
    }

private:
    long exchange(const request &wanted, unsigned char byte) {
        if constexpr (what == scenario::not_ready) {
            way_.template submit<kind>(wanted);
            put(byte);
            return way_.template finish<kind>();
        } else {
            if constexpr (what == scenario::ready) put(byte);
            return way_.template ready<kind>(wanted);
        }
    }

    void put(unsigned char byte) {
        if (::write(channel_->writer.get(), &byte, 1) != 1) [[unlikely]]
            fail("{}: write: {}", where_, error_text(errno));
    }

    way_type way_;
    bool lazy_;
    std::shared_ptr<const channel> channel_;
    std::string where_;
    promises &seen_;
    std::uint64_t calls_ = 0;
    std::uint64_t waits_before_ = 0;
};

template <scenario what, input kind>
bench_case byte_case(std::string key, std::string title, std::shared_ptr<const channel> bytes, promises &seen) {
    bench_case made;
    made.key = key;
    made.title = std::move(title);
    for (const way each : all_ways)
        if (makes_inputs(each) && (each != way::plain_threads || what == scenario::ready_alone))
            made.ways.push_back(each);
    made.waits = what == scenario::not_ready;
    if constexpr (what == scenario::ready_alone) made.operations_max = preload_max;
    made.make = [key = std::move(key), bytes = std::move(bytes), &seen](way which) {
        const std::string where = key + "/" + name_of(which).key;
        return with_way(which, [&]<typename way_type>(std::type_identity<way_type>) -> std::unique_ptr<subject> {
            return std::make_unique<byte_subject<way_type, what, kind>>(which, bytes, where, seen);
        });
    };
    return made;
}

template <input kind>
void add_channel(std::vector<bench_case> &cases, const std::string &key, const std::string &title,
                 channel_kind channel_type, promises &seen) {
    const auto bytes = std::make_shared<const channel>(make_channel(channel_type));
    cases.push_back(byte_case<scenario::ready, kind>(key + "_ready", title + " byte, ready, with write", bytes, seen));
    cases.push_back(
        byte_case<scenario::ready_alone, kind>(key + "_ready_alone", title + " byte, ready, alone", bytes, seen));
    cases.push_back(byte_case<scenario::not_ready, kind>(key + "_not_ready", title + " byte, not ready", bytes, seen));
}

} // namespace

std::vector<bench_case> byte_cases(promises &seen) {
    std::vector<bench_case> cases;
    add_channel<input::read>(cases, "pipe", "pipe", channel_kind::pipe, seen);
    add_channel<input::receive>(cases, "tcp", "TCP", channel_kind::tcp, seen);
    add_channel<input::receive>(cases, "unix", "Unix socket", channel_kind::unix_stream, seen);
    return cases;
}

void count_ready(promises &seen, const std::string &where, std::uint64_t calls, std::uint64_t waited,
                 double excused_share) {
    seen.ready += calls;
    if (waited == 0) return;
    if (static_cast<double>(waited) <= excused_share * static_cast<double>(calls)) {
        seen.ready_excused += waited;
        return;
    }
    seen.ready_waited += waited;
    if (seen.where.empty() || seen.where.back() != where) seen.where.push_back(where);
}

} // namespace laio::bench
