// An application away from home: a call of it blocked in place, so that another kernel thread carries it.
//
// Two calls serve for that, because the library makes them by two paths: truncate(2) of a file with a lease on it, which
// has one argument that matters, and splice(2) from an empty pipe to a pipe, which has two descriptors. Nothing but us ends
// them, so they certainly block, and nothing is attempted first. Failures are exceptions, so that programs without gtest
// (acts.hpp) can travel too. One thread each: the one that made the journey. Lost: flock(2) and reads have a non-blocking
// form, sleeps wait on a timer.
#pragma once

#include "contract/resources.hpp"
#include "contract/statistics.hpp"

#include <gtest/gtest.h>
#include <laio/laio.h>
#include <list>
#include <string>
#include <sys/types.h>
#include <vector>

namespace laio::test {

// As the kernel says, whatever libc may remember.
pid_t kernel_thread();

// Why no call is made in place here; empty: they are. Makes the calling thread's loop.
std::string why_no_activations();

// From laio_poll(), which may be interrupted.
laio_completion next_completion();

enum class blocking { truncate, splice };

class journey {
public:
    // By turns, beginning with this one.
    explicit journey(blocking first = blocking::truncate) : home_{kernel_thread()}, next_{first} {}
    ~journey();
    journey(const journey &) = delete;
    journey &operator=(const journey &) = delete;

    void leave();   // another call blocks, and another thread carries us from now on
    void unblock(); // all calls that block end; home could carry us again, and does not yet
    void arrive();  // the same, and their completions are fetched; we may be home
    void go_home(); // the same, and we are home

    [[nodiscard]] pid_t home() const { return home_; }
    [[nodiscard]] std::size_t descriptors() const; // that are open for the sake of it
    [[nodiscard]] bool is_away() const { return kernel_thread() != home_; }

private:
    struct blocked_call {
        blocking kind;
        descriptor lock; // the leased file, or the writer of the pipe
        std::vector<descriptor> others = {};
        std::string path = {};
        laio_handle_t handle = nullptr;
        bool is_blocked = true;
    };
    blocked_call &begin_truncate();
    blocked_call &begin_splice();

    pid_t home_;
    blocking next_;
    std::list<blocked_call> calls_; // they stay where they are
};

// Skips aloud where there are no activations. Each test has a loop of its own, made and ended at home.
class identity_test : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    // at home, while carried, and home again; by each of the calls
    template <class body> static void at_each_place(body look) {
        for (const blocking kind : {blocking::truncate, blocking::splice}) {
            SCOPED_TRACE(kind == blocking::truncate ? "truncate" : "splice");
            look_around(look, kind);
        }
    }

private:
    template <class body> static void look_around(body &look, blocking kind) {
        journey way{kind};
        {
            SCOPED_TRACE("at home");
            look(way);
        }
        way.leave();
        {
            SCOPED_TRACE("while carried");
            look(way);
        }
        way.go_home();
        SCOPED_TRACE("home again");
        look(way);
    }
};

} // namespace laio::test
