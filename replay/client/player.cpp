#include "client/player.hpp"

#include "trace/decoded_path.hpp"

#include <algorithm>
#include <utility>

namespace replay {

player::player(const server_view &server, const trace &paths, const schedule_options &pace,
               const player_options &options)
    : paths_(paths.paths()), schedule_(paths, pace), options_(options), until_verified_(options.verify_every) {
    for (std::size_t i = 0; i < options.clients; ++i) clients_.emplace_back(*this, server);
    for (auto &one : clients_) idle_.push_back(&one);
}

void player::connect() {
    if (!options_.keeps_connections) return;
    for (auto &one : clients_) {
        one.link.prepare();
        count_connection(one);
    }
}

bool player::connecting() const {
    return std::ranges::any_of(clients_, [](const client &one) { return one.link.connecting_since().has_value(); });
}

// As many sequences as there are idle clients now, no more: when all fail at once, others have their turn, too.
void player::turn(steady_time now) {
    for (auto *one : std::exchange(failed_at_once_, {})) next_request(*one);
    for (auto idle = idle_.size(); idle > 0 && !schedule_.over() && start_ + schedule_.due() <= now; --idle) {
        auto &one = *idle_.front();
        idle_.pop_front();
        one.intended = std::chrono::steady_clock::now();
        if (schedule_.open_loop()) {
            const auto due = start_ + schedule_.due();
            counts_.lag.record(one.intended - due);
            one.intended = due;
        }
        one.left = schedule_.take().requests;
        one.active = true;
        next_request(one);
    }
}

std::optional<steady_time> player::next_due() const {
    if (!failed_at_once_.empty()) return start_;
    if (idle_.empty() || schedule_.over()) return {};
    return start_ + schedule_.due();
}

void player::next_request(client &which) {
    const auto path = paths_[which.left.front()];
    std::optional<content> expected;
    if (options_.verify_every > 0 && --until_verified_ == 0) {
        until_verified_ = options_.verify_every;
        expected.emplace(decode_path(path).value_or(std::string(path)));
    }
    which.counted_bytes = 0;
    const bool began = which.link.begin(path, expected);
    count_connection(which);
    if (!began && conclude(which)) failed_at_once_.push_back(&which);
}

void player::count_connection(client &which) {
    const auto took = which.link.take_connect_time();
    if (!took) return;
    ++counts_.connections;
    counts_.connect.record(*took);
}

void player::advance(client &which, std::uint32_t events) {
    const bool ended = which.link.advance(events);
    count_connection(which);
    if (!which.active) return;
    count_body(which);
    if (ended && conclude(which)) next_request(which);
}

// As it comes: a large file is not all from the moment at which it ended.
void player::count_body(client &which) {
    const auto &response = which.link.response();
    const auto fresh = response.body_bytes() - which.counted_bytes;
    if (fresh == 0 || !response.is_good()) return;
    which.counted_bytes += fresh;
    counts_.body_bytes += fresh;
    counts_.flow.add(which.link.last_moved() - start_, 0, fresh);
}

void player::settle(client &which) {
    const auto &link = which.link;
    if (link.response().status() != 0) ++counts_.statuses[link.response().status()];
    const auto verdict = link.verdict();
    if (link.response().compared() && (verdict == failure::none || verdict == failure::wrong_body)) ++counts_.verified;
    if (verdict != failure::none) {
        ++counts_.failures[static_cast<std::size_t>(verdict)];
        return;
    }
    ++counts_.requests;
    counts_.response.record(link.last_moved() - which.intended);
    counts_.first_byte.record(link.first_byte() - which.intended);
    counts_.flow.add(link.last_moved() - start_, 1, 0);
}

bool player::conclude(client &which) {
    settle(which);
    which.intended = std::chrono::steady_clock::now();
    which.left = which.left.subspan(1);
    if (!which.left.empty()) return true;
    if (!options_.keeps_connections) which.link.close();
    which.active = false;
    ++counts_.sequences;
    idle_.push_back(&which);
    return false;
}

void player::expire(steady_time before) {
    for (auto &one : clients_)
        if (one.link.expire(before) && one.active && conclude(one)) next_request(one);
}

void player::end(steady_time now) {
    for (auto &one : clients_) {
        if (one.active) {
            ++counts_.unfinished;
            censor(one.intended, one.link.response().begun() ? one.link.first_byte() : now, now);
        }
        one.active = false;
        if (const auto since = one.link.connecting_since()) counts_.connect.record(now - *since);
        one.link.close();
    }
    if (!schedule_.open_loop()) return;
    for (; !schedule_.over() && start_ + schedule_.due() <= now; schedule_.take()) {
        censor(start_ + schedule_.due(), now, now);
        counts_.lag.record(now - (start_ + schedule_.due()));
    }
}

// Left out, those that a server lets wait longest would make it look fast.
void player::censor(steady_time intended, steady_time first_byte, steady_time now) {
    ++counts_.censored;
    counts_.response.record(now - intended);
    counts_.first_byte.record(first_byte - intended);
}

} // namespace replay
