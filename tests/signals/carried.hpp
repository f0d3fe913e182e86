// An application that is carried: its calls block in place, and other kernel threads carry it on.
//
// Each test runs its body in a forked child, since it changes what belongs to a process (handlers, credentials), and so that
// one that hangs can be killed and told of. The child's only thread is the loop's home.
#pragma once

#include "contract/resources.hpp"
#include "contract/statistics.hpp"

#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <laio/laio.h>
#include <string>
#include <sys/types.h>

namespace laio::test {

// Why calls are not made in place here; empty: they are. Found out once, in a child.
std::string why_no_activations();

// In a forked child: its failures are the test's. One that does not end is killed, and its threads are listed.
void run_in_child(const std::function<void()> &body);

// The child's end: a wait status.
int end_of_child(const std::function<void()> &body);

class signals : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string reason = why_no_activations(); !reason.empty()) GTEST_SKIP() << reason;
    }
};

struct ended_call {
    long value;
    int error;
};

// The calling thread as an application of the library.
class application {
public:
    application();
    ~application(); // lets all calls end, and comes home

    // A splice(2) from an empty pipe, which blocks in place: another thread carries the application on. Its place.
    std::size_t block();
    bool try_block(); // false: EINTR
    void block(int count) {
        while (count-- > 0) block();
    }
    // Lets it end, and waits for its completion.
    ended_call end(std::size_t place);
    void end_all();
    void let_go(std::size_t place); // lets it end
    // Closes its reader, so that it ends with EPIPE and sends SIGPIPE.
    void break_pipe(std::size_t place);
    ended_call wait(std::size_t place);

    void park_home(std::size_t place); // lets home's call end; the application stays away

    void away(); // one more call blocks
    void home(); // all calls end, and home carries the application again
    [[nodiscard]] bool is_away() const;
    [[nodiscard]] pid_t home_thread() const { return home_; }

private:
    struct call {
        pipe_ends from;
        pipe_ends to;
        bool complete = false;
        ended_call result{};
    };
    void poll(const timespec *timeout);

    pid_t home_;
    std::deque<call> calls_;
};

// Runs it at home, while the application is carried, and home again.
void in_each_place(application &of, const std::function<void(const char *place)> &what);

} // namespace laio::test
