// The CPU time of those who watch, for a turn of the loop. See sections.hpp. A turn waits for a byte that is not there
// yet and makes a stat beside, as in the microbenchmark.
#include "common/activation_presence.hpp"
#include "common/channel.hpp"
#include "common/child.hpp"
#include "sections.hpp"
#include "threads.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <tuple>
#include <utility>

namespace laio::bench {
namespace {

void make_turn(const channel &bytes) {
    unsigned char got = 0;
    const unsigned char sent = 7;
    struct stat status;
    if (laio_syscall(SYS_recvfrom, bytes.reader.get(), &got, 1L, 0L, nullptr, nullptr) != -1 || errno != EINPROGRESS)
        fail("recvfrom on a silent socket did not say EINPROGRESS");
    if (laio_syscall(SYS_newfstatat, AT_FDCWD, "/", &status, 0) != 0) fail("stat: {}", error_text(errno));
    if (::write(bytes.writer.get(), &sent, 1) != 1) fail("write: {}", error_text(errno));
    laio_completion completion;
    int count = 0;
    while ((count = laio_poll(&completion, 1, nullptr)) < 0 && errno == EINTR) {}
    if (count != 1 || completion.laio_return_value != 1 || got != sent) fail("a byte was not received");
}

void poll_until(double wall) {
    laio_completion completion;
    for (double left = 0; (left = wall - wall_ns()) > 0;) {
        const double seconds = std::floor(left / 1e9);
        const timespec limit{.tv_sec = static_cast<time_t>(seconds),
                             .tv_nsec = static_cast<long>(left - 1e9 * seconds)};
        if (laio_poll(&completion, 1, &limit) > 0) fail("a completion of nothing");
    }
}

// Without a period, one turn after the other.
nlohmann::ordered_json measure_loop(std::size_t turns, double period_ns) {
    if (const std::string why = why_no_activations(); !why.empty()) return {{"skipped", why}};
    const channel bytes = make_channel(channel_kind::unix_stream);
    for (int i = 0; i < 10; ++i) make_turn(bytes);
    const thread_times before = library_threads_now();
    if (before.empty()) return {{"skipped", "this kernel does not count what threads use (schedstat)"}};
    const double own_before = thread_cpu_ns();
    const double begin = wall_ns();
    for (std::size_t i = 0; i < turns; ++i) {
        if (period_ns > 0) poll_until(begin + static_cast<double>(i) * period_ns);
        make_turn(bytes);
    }
    const auto per_turn_us = [&](double nanoseconds) { return nanoseconds / 1e3 / static_cast<double>(turns); };
    nlohmann::ordered_json row = {{"turns", turns},
                                  {"turn_us", per_turn_us(wall_ns() - begin)},
                                  {"own_us", per_turn_us(thread_cpu_ns() - own_before)},
                                  {"threads_us", nlohmann::ordered_json::object()}};
    for (const auto &[name, nanoseconds] : spent(before, library_threads_now()))
        row["threads_us"][name] = per_turn_us(nanoseconds);
    must(laio_fini(), "laio_fini");
    return row;
}

} // namespace

section measure_turns(const sizes &chosen, const affinity &cpus, int cpu) {
    section result;
    fmt::print("\nA turn with a byte to wait for and a stat: CPU time of the loop and of the library's threads, in "
               "microseconds for "
               "each turn\n{:50} {:>8} {:>9} {:>9}  {}\n",
               "", "turns", "turn", "loop", "the library's threads");
    for (const auto &[key, title, is_pinned, is_paced] :
         {std::tuple("pinned", "pinned, one after the other", true, false),
          std::tuple("free", "free to move, one after the other", false, false),
          std::tuple("pinned_paced", "pinned, one each millisecond", true, true),
          std::tuple("free_paced", "free to move, one each millisecond", false, true)}) {
        nlohmann::ordered_json row = {{"situation", key}};
        row.update(in_child(title, [&, is_pinned = is_pinned, is_paced = is_paced] {
            if (is_pinned) cpus.pin(cpu);
            return is_paced ? measure_loop(chosen.turns_paced, 1e6) : measure_loop(chosen.turns, 0);
        }));
        if (row.contains("skipped")) fmt::print("{:50} SKIPPED: {}\n", title, row.at("skipped").get<std::string>());
        else
            fmt::print("{:50} {:>8} {:>9.2f} {:>9.2f}  {}\n", title, row.at("turns").get<std::size_t>(),
                       row.at("turn_us").get<double>(), row.at("own_us").get<double>(), listed(row.at("threads_us")));
        std::fflush(stdout);
        result.rows.push_back(std::move(row));
    }
    return result;
}

} // namespace laio::bench
