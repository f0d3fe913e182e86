// See measurement.hpp. Everything the benchmark itself needs per connection is allocated and written to before memory
// is first measured. A completion that is missing after a minute, comes twice, or carries the wrong data is an error.
#include "measurement.hpp"

#include "common/child.hpp"
#include "common/failure.hpp"
#include "common/ring_presence.hpp"

#include <laio/laio.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace laio::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::array sets{
    engine_set{"default", "default engines: sockets wait in epoll", 0, 0},
    engine_set{"no-ring", "LAIO_FORBID_RING", 0, LAIO_FORBID_RING},
    engine_set{"sockets-in-ring", "LAIO_SOCKETS_IN_RING: sockets wait in io_uring", LAIO_SOCKETS_IN_RING, 0},
};

struct memory {
    double private_dirty_bytes = 0;
    double rss_bytes = 0;
};

memory memory_now() {
    memory result;
    std::ifstream file("/proc/self/smaps_rollup");
    for (std::string word; file >> word;) {
        double kilobytes = 0;
        if (word == "Private_Dirty:" && file >> kilobytes) result.private_dirty_bytes = 1024 * kilobytes;
        else if (word == "Rss:" && file >> kilobytes) result.rss_bytes = 1024 * kilobytes;
    }
    if (result.rss_bytes <= 0) fail("/proc/self/smaps_rollup cannot be read");
    return result;
}

std::size_t threads_now() {
    const auto entries = std::filesystem::directory_iterator("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

double cpu_ns_now() {
    timespec now{};
    must(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), "clock_gettime");
    return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

double ns_since(clock::time_point begin) {
    return std::chrono::duration<double, std::nano>(clock::now() - begin).count();
}

struct waiter {
    laio_handle_t handle = nullptr;
    unsigned char byte = 0;
    bool done = false;
};

void submit_all(const connections &peers, std::vector<waiter> &waiters) {
    for (std::size_t i = 0; i < waiters.size(); ++i) {
        const long result = laio_syscall(SYS_recvfrom, peers.fd(i), &waiters[i].byte, 1, 0, nullptr, nullptr);
        if (result != -1 || errno != EINPROGRESS)
            fail("recvfrom on a silent connection gave {} ({}) and not EINPROGRESS", result, error_text(errno));
        waiters[i].handle = laio_gethandle();
        must(laio_setdata(waiters[i].handle, &waiters[i]), "laio_setdata");
    }
}

void check(const laio_completion &completion, const std::vector<waiter> &waiters) {
    auto *const completed = static_cast<waiter *>(completion.laio_data);
    if (completed < waiters.data() || completed >= waiters.data() + waiters.size())
        fail("a completion carries data that was never attached");
    const auto index = static_cast<std::size_t>(completed - waiters.data());
    if (completed->done) fail("connection {} was completed twice", index);
    if (completion.laio_handle != completed->handle || completion.laio_return_value != 1 ||
        completed->byte != connections::byte_of(index))
        fail("connection {}: result {} (error {}), byte {}; expected 1 and byte {}", index,
             completion.laio_return_value, completion.laio_errno, completed->byte, connections::byte_of(index));
    completed->done = true;
}

// Returns in how many laio_poll() all completions came.
std::size_t collect_all(const std::vector<waiter> &waiters) {
    constexpr timespec limit{.tv_sec = 60, .tv_nsec = 0};
    std::array<laio_completion, 256> completions{};
    std::size_t polls = 0;
    for (std::size_t done = 0; done < waiters.size(); ++polls) {
        const int count = laio_poll(completions.data(), static_cast<int>(completions.size()), &limit);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("laio_poll: {}", error_text(errno));
        if (count == 0) fail("{} of {} completions came, and no other for a minute", done, waiters.size());
        for (const laio_completion &each : std::span(completions).first(static_cast<std::size_t>(count)))
            check(each, waiters);
        done += static_cast<std::size_t>(count);
    }
    constexpr timespec none{};
    if (laio_outstanding() != 0 || laio_poll(completions.data(), 1, &none) != 0)
        fail("something is left after all completions");
    return polls;
}

waiting_figures measure(const engine_set &engines, transport kind, std::size_t count, std::uint64_t seed) {
    const connections peers(kind, count, seed);
    std::vector<waiter> waiters(count);
    (void)memory_now(); // so that its own allocations are there already
    const memory before = memory_now();

    laio_options options{};
    options.size = sizeof options;
    options.flags = engines.flags;
    options.forbid = engines.forbid;
    must(laio_init(&options), "laio_init");
    waiting_figures figures;
    if ((engines.flags & LAIO_SOCKETS_IN_RING) != 0) figures.skipped = why_no_ring();
    if (!figures.skipped.empty()) return figures;

    const auto per_call = [&](double value) { return value / static_cast<double>(count); };
    clock::time_point begin = clock::now();
    submit_all(peers, waiters);
    // What a loop does next; with a ring it is here that the requests may go out.
    laio_completion completion;
    constexpr timespec none{};
    if (laio_poll(&completion, 1, &none) != 0) fail("a completion came before any byte was sent");
    figures.submit_ns = per_call(ns_since(begin));
    if (static_cast<std::size_t>(laio_outstanding()) != count)
        fail("{} calls are outstanding, not {}", laio_outstanding(), count);

    const memory after = memory_now();
    figures.connections = count;
    figures.threads = threads_now();
    figures.private_dirty_bytes = per_call(after.private_dirty_bytes - before.private_dirty_bytes);
    figures.rss_bytes = per_call(after.rss_bytes - before.rss_bytes);

    begin = clock::now();
    const double cpu_begin = cpu_ns_now();
    peers.let_peers_write();
    const std::size_t polls = collect_all(waiters);
    figures.complete_cpu_ns = per_call(cpu_ns_now() - cpu_begin);
    figures.complete_ns = per_call(ns_since(begin));
    figures.completions_per_poll = static_cast<double>(count) / static_cast<double>(polls);
    must(laio_fini(), "laio_fini");
    return figures;
}

// Calls visit(name, member) for each figure.
template <typename figures_type, typename visitor> void visit_figures(figures_type &figures, visitor visit) {
    visit("connections", figures.connections);
    visit("threads", figures.threads);
    visit("private_dirty_bytes", figures.private_dirty_bytes);
    visit("rss_bytes", figures.rss_bytes);
    visit("submit_ns", figures.submit_ns);
    visit("complete_ns", figures.complete_ns);
    visit("complete_cpu_ns", figures.complete_cpu_ns);
    visit("completions_per_poll", figures.completions_per_poll);
}

waiting_figures from_json(const nlohmann::ordered_json &json) {
    waiting_figures result;
    result.skipped = json.value("skipped", "");
    if (result.skipped.empty())
        visit_figures(result, [&](const char *name, auto &figure) { json.at(name).get_to(figure); });
    return result;
}

} // namespace

std::span<const engine_set> engine_sets() { return sets; }

waiting_figures measure_in_child(const engine_set &engines, transport kind, std::size_t count, std::uint64_t seed) {
    return from_json(in_child(fmt::format("the run with {}", engines.key),
                              [&] { return to_json(measure(engines, kind, count, seed)); }));
}

nlohmann::ordered_json to_json(const waiting_figures &figures) {
    if (!figures.skipped.empty()) return {{"skipped", figures.skipped}};
    nlohmann::ordered_json json;
    visit_figures(figures, [&](const char *name, const auto &figure) { json[name] = figure; });
    return json;
}

} // namespace laio::bench
