// Calls on pipes that block until the other side comes: splice(2) from an empty pipe, and open(2) of a FIFO.
#include "stress/actor.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace laio::test {
namespace {

// Bytes that go from one pipe to another and a third: what comes out is what went in, in order.
class splices final : public actor {
public:
    explicit splices(dice &random) : random_{&random}, in_{make_pipe()}, out_{make_pipe()} {}

    void act() override {
        take();
        if (call_.complete) {
            settle();
            if (random_->one_in(2)) give();
            begin_again_in(call_, SYS_splice, in_.reader.get(), nullptr, out_.writer.get(), nullptr,
                           1 + random_->below(3000), 0);
            began_ = true;
        } else if (random_->one_in(5)) {
            cancel_if_waiting(&call_);
        } else {
            give();
        }
    }
    void end() override {
        while (!call_.complete) {
            give();
            collect(10);
            take();
        }
        settle();
        EXPECT_EQ(seen_, moved_) << "what its calls say to have moved";
        in_.writer.reset();
        taken_ += read_all(in_.reader.get(), given_.size() + 1);
        EXPECT_TRUE(taken_ == given_) << taken_.size() << " of " << given_.size() << " bytes";
    }

private:
    void give() {
        if (given_.size() - taken_.size() > 20000) return; // the pipes hold 64 KB each
        const std::string bytes = pattern(1 + random_->below(2000), ++portions_);
        write_all(in_.writer.get(), bytes);
        given_ += bytes;
    }
    void take() {
        while (is_readable(out_.reader.get())) {
            std::string bytes(4096, '\0');
            const ssize_t count = read(out_.reader.get(), bytes.data(), bytes.size());
            if (count > 0) taken_ += bytes.substr(0, static_cast<std::size_t>(count));
        }
        ASSERT_TRUE(given_.starts_with(taken_)) << taken_.size();
        seen_ += taken_.size();
        given_.erase(0, taken_.size());
        taken_.clear();
    }
    void settle() {
        if (!began_) return;
        began_ = false;
        EXPECT_TRUE(call_.result.value > 0 || call_.result == (outcome{-1, ECANCELED})) << call_.result;
        if (call_.result.value > 0) moved_ += static_cast<std::size_t>(call_.result.value);
        take();
    }

    dice *random_;
    pipe_ends in_;
    pipe_ends out_;
    call_record call_{.complete = true};
    bool began_ = false;
    std::string given_;
    std::string taken_;
    std::size_t seen_ = 0;
    std::size_t moved_ = 0;
    std::uint32_t portions_ = 0;
};

// Both ends of a FIFO, opened in either order; sometimes one of them is given up, and the other waits for its next partner.
class fifos final : public actor {
public:
    explicit fifos(dice &random) : random_{&random} {
        if (mkfifo(path_.c_str(), 0600) != 0) ADD_FAILURE() << strerror(errno);
    }

    void act() override {
        side &one = sides_[random_->below(2)];
        if (one.call.complete) {
            settle(one);
            if (one.end.get() < 0) open_side(one);
            else use();
        } else if (random_->one_in(5)) {
            cancel_if_waiting(&one.call);
        } else {
            side &other = sides_[&one == sides_.data() ? 1 : 0];
            if (other.call.complete) {
                settle(other);
                if (other.end.get() < 0) open_side(other);
            }
        }
    }
    void end() override {
        for (side &one : sides_)
            if (!one.call.complete) cancel_if_waiting(&one.call);
        for (side &one : sides_) {
            finish(&one.call);
            settle(one);
        }
        use();
    }
    [[nodiscard]] bool makes_descriptors() const override { return true; }

private:
    struct side {
        int flags = O_RDONLY;
        descriptor end{};
        call_record call{.complete = true};
        bool began = false;
    };

    void open_side(side &one) {
        begin_again_in(one.call, SYS_openat, AT_FDCWD, path_.c_str(), one.flags | O_CLOEXEC, 0);
        one.began = true;
    }
    static void settle(side &one) {
        if (!std::exchange(one.began, false)) return;
        const outcome &result = one.call.result;
        EXPECT_TRUE(result.value >= 0 || result == (outcome{-1, ECANCELED})) << result;
        if (result.value < 0) return;
        one.end = descriptor{static_cast<int>(result.value)};
        EXPECT_EQ(fcntl(one.end.get(), F_GETFL) & O_ACCMODE, one.flags);
    }
    // When both ends are open, a few bytes pass through.
    void use() {
        for (side &one : sides_) {
            if (!one.call.complete) return;
            settle(one);
        }
        if (sides_[0].end.get() >= 0 && sides_[1].end.get() >= 0) {
            const std::string bytes = pattern(1 + random_->below(100), ++uses_);
            write_all(sides_[1].end.get(), bytes);
            EXPECT_EQ(read_all(sides_[0].end.get(), bytes.size()), bytes);
        }
        for (side &one : sides_)
            if (const int number = one.end.release(); number >= 0) {
                EXPECT_EQ(done(SYS_close, number), (outcome{0, 0}));
            }
    }

    dice *random_;
    directory files_;
    std::string path_ = files_.path("fifo");
    std::array<side, 2> sides_{side{O_RDONLY}, side{O_WRONLY}};
    std::uint32_t uses_ = 0;
};

} // namespace

std::unique_ptr<actor> make_splices(dice &random) { return std::make_unique<splices>(random); }
std::unique_ptr<actor> make_fifos(dice &random) { return std::make_unique<fifos>(random); }

} // namespace laio::test
