// N clients that play the sequences of a schedule: connect, one request after another, each response read completely, close.
// A response time begins when the request was meant to: for the first of a sequence in an open loop when the schedule says
// so, else when the client turned to it, so connecting is part of it where the request needed a connection. Every request of
// the trace is tried once; after a failure the sequence goes on with the next one. The loop calls; nothing here waits.
#pragma once

#include "client/connection.hpp"
#include "client/schedule.hpp"
#include "report/tally.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace replay {

struct player_options {
    std::size_t clients = 1;
    bool keeps_connections = false; // from sequence to sequence
    std::uint64_t verify_every = 0; // each N-th response; 0: none
};

class player {
public:
    struct client {
        client(player &whose, const server_view &server) : owner(whose), link(server, this) {}

        player &owner;
        connection link;
        std::span<const path_index> left{}; // of the sequence; the first is under way
        steady_time intended;
        std::uint64_t counted_bytes = 0; // of the body that comes
        bool active = false;
    };

    // What is referred to outlives it.
    player(const server_view &server, const trace &paths, const schedule_options &pace, const player_options &options);

    // Before the start, those who keep their connections make them: a probe does not begin amid the load's crowd.
    void connect();
    bool connecting() const;
    void start(steady_time now) { start_ = now; }
    void advance(client &which, std::uint32_t events);
    void turn(steady_time now);      // starts what is due
    void expire(steady_time before); // fails requests that have not moved since
    // Of the run: what is under way is given up, what was due is not started; both are counted with how long they waited.
    void end(steady_time now);
    std::optional<steady_time> next_due() const; // when turn() should be called, if no event comes before
    bool over() const { return schedule_.over() && idle_.size() == clients_.size(); }

    const tally &counts() const { return counts_; }
    const schedule &plan() const { return schedule_; }

private:
    void next_request(client &which);
    void count_connection(client &which);
    void count_body(client &which);
    void settle(client &which);   // counts a request that has ended
    bool conclude(client &which); // the same; true: its sequence goes on
    void censor(steady_time intended, steady_time first_byte, steady_time now);

    const path_table &paths_;
    schedule schedule_;
    player_options options_;
    std::deque<client> clients_;           // which do not move
    std::deque<client *> idle_;            // who has rested longest is next: all connections of a probe are used
    std::vector<client *> failed_at_once_; // their next request waits for the next turn: nothing starves
    steady_time start_;
    std::uint64_t until_verified_;
    tally counts_;
};

} // namespace replay
