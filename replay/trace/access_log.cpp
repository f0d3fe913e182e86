#include "trace/access_log.hpp"

#include "trace/input_error.hpp"
#include "trace/line_reader.hpp"
#include "trace/log_line.hpp"

#include <algorithm>
#include <unordered_map>

namespace replay {
namespace {

struct visit {
    std::int64_t first_s = 0;
    std::int64_t last_s = 0;
    std::vector<path_index> requests{};
};

class grouping {
public:
    explicit grouping(std::chrono::seconds gap) : gap_s_(gap.count()) {}

    void add(const log_entry &entry) {
        auto [found, is_new] = current_.try_emplace(std::string(entry.host), visits_.size());
        if (!is_new) {
            const visit &before = visits_[found->second];
            if (entry.time_s - before.last_s > gap_s_ || before.requests.size() == trace_limits::sequence_requests)
                is_new = true;
        }
        if (is_new) {
            found->second = visits_.size();
            visits_.push_back({entry.time_s, entry.time_s, {}});
        }
        visit &now = visits_[found->second];
        now.first_s = std::min(now.first_s, entry.time_s);
        now.last_s = std::max(now.last_s, entry.time_s);
        now.requests.push_back(made_.paths().intern(entry.path));
    }

    trace finish() {
        std::ranges::stable_sort(visits_, {}, &visit::first_s);
        for (const visit &one : visits_) {
            for (const path_index path : one.requests) made_.add_request(path);
            made_.end_sequence(std::chrono::seconds(one.first_s - visits_.front().first_s));
        }
        return std::move(made_);
    }

private:
    std::int64_t gap_s_;
    trace made_;
    std::vector<visit> visits_;
    std::unordered_map<std::string, std::size_t> current_; // each host's last visit
};

} // namespace

trace read_access_log(std::istream &in, const std::string &name, std::chrono::seconds gap, left_out &not_taken) {
    grouping visits(gap);
    line_reader lines(in);
    std::uint64_t taken = 0;
    while (lines.next()) {
        const auto entry = lines.was_cut() ? std::nullopt : parse_log_line(lines.text());
        if (!entry) not_taken.add_broken_line(lines.number());
        else if (entry->method != "GET") ++not_taken.other_methods;
        else if (entry->status / 100 != 2 && entry->status != 304) ++not_taken.other_statuses;
        else {
            visits.add(*entry);
            ++taken;
        }
    }
    if (lines.number() == not_taken.broken_lines) throw input_error(name + ": no line of it is one of an access log");
    if (taken == 0) throw input_error(name + ": no GET in it that was answered with 2xx or 304");
    return visits.finish();
}

} // namespace replay
