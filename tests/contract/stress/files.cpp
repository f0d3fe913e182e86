// Files: blocks that are read and written, in memory or not (a read that misses waits in the ring, where there is one), and
// copies from one file to another or into a pipe.
#include "stress/actor.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace laio::test {
namespace {

// A file of blocks, each of which says which write was its last.
class blocks final : public actor {
public:
    explicit blocks(dice &random) : random_{&random}, file_{files_.file("blocks", std::string(count * size, '\0'))} {}

    void act() override {
        const std::size_t number = random_->below(count);
        block &chosen = all_[number];
        if (chosen.call != nullptr && !chosen.call->complete) return;
        settle(chosen);
        if (random_->one_in(16)) make_cold(file_.get());
        chosen.is_write = random_->one_in(2);
        if (chosen.is_write) chosen.bytes = pattern(size, ++writes_);
        else chosen.bytes.assign(size, '\0');
        chosen.call = begin_again(chosen.is_write ? SYS_pwrite64 : SYS_pread64, file_.get(), chosen.bytes.data(), size,
                                  number * size);
    }

    void end() override {
        for (block &one : all_) {
            if (one.call != nullptr) finish(one.call);
            settle(one);
        }
        std::string expected;
        for (const block &one : all_) expected += one.content;
        EXPECT_EQ(lseek(file_.get(), 0, SEEK_SET), 0);
        EXPECT_TRUE(read_all(file_.get(), count * size + 1) == expected);
    }

private:
    static constexpr std::size_t count = 32;
    static constexpr std::size_t size = 5000;
    struct block {
        std::string content = std::string(size, '\0');
        std::string bytes;
        call_record *call = nullptr;
        bool is_write = false;
    };

    static void settle(block &one) {
        if (one.call == nullptr) return;
        EXPECT_EQ(one.call->result, (outcome{size, 0}));
        if (one.is_write) one.content = one.bytes;
        else EXPECT_TRUE(one.bytes == one.content);
        one.call = nullptr;
    }

    dice *random_;
    directory files_;
    descriptor file_;
    std::array<block, count> all_;
    std::uint32_t writes_ = 0;
};

// Ranges of one file that are copied to the same place of another, or sent into a pipe, in place.
class copies final : public actor {
public:
    explicit copies(dice &random)
        : random_{&random}, from_{files_.file("from", content_)}, to_{files_.file("to", std::string(size, '\0'))},
          ends_{make_pipe()} {}

    void act() override {
        if (!call_.complete) return;
        settle();
        offset_ = static_cast<long>(random_->below(size));
        to_offset_ = offset_;
        start_ = static_cast<std::size_t>(offset_);
        length_ = 1 + random_->below(random_->one_in(4) ? size : 6000);
        if (random_->one_in(16)) make_cold(from_.get());
        sends_ = random_->one_in(2);
        if (sends_) begin_again_in(call_, SYS_sendfile, ends_.writer.get(), from_.get(), &offset_, length_);
        else begin_again_in(call_, SYS_copy_file_range, from_.get(), &offset_, to_.get(), &to_offset_, length_, 0);
        began_ = true;
    }

    void end() override {
        while (!call_.complete) {
            drain(); // it may have filled the pipe
            collect(1);
        }
        settle();
    }

private:
    static constexpr std::size_t size = 200000;

    void drain() {
        while (is_readable(ends_.reader.get())) {
            std::string bytes(65536, '\0');
            const ssize_t count = read(ends_.reader.get(), bytes.data(), bytes.size());
            if (count > 0) drained_ += bytes.substr(0, static_cast<std::size_t>(count));
        }
    }

    // A signal may have ended it early, as it may end a plain one: it moved as much as it says.
    void settle() {
        if (!began_) return;
        began_ = false;
        const std::size_t expected = std::min(length_, size - start_);
        ASSERT_GE(call_.result.value, 0) << call_.result;
        const auto moved = static_cast<std::size_t>(call_.result.value);
        EXPECT_LE(moved, expected);
        EXPECT_EQ(static_cast<std::size_t>(offset_), start_ + moved);
        std::string got;
        EXPECT_GT(moved, 0U);
        if (sends_) {
            drain();
            got = std::exchange(drained_, {});
        } else {
            got.resize(moved);
            EXPECT_EQ(pread(to_.get(), got.data(), moved, static_cast<off_t>(start_)), static_cast<ssize_t>(moved));
        }
        EXPECT_TRUE(got == content_.substr(start_, moved)) << moved << " bytes from " << start_;
    }

    dice *random_;
    std::string content_ = pattern(size, 77);
    directory files_;
    descriptor from_;
    descriptor to_;
    pipe_ends ends_;
    call_record call_{.complete = true};
    bool began_ = false;
    bool sends_ = false;
    long offset_ = 0;
    long to_offset_ = 0;
    std::size_t start_ = 0;
    std::size_t length_ = 0;
    std::string drained_;
};

} // namespace

std::unique_ptr<actor> make_blocks(dice &random) { return std::make_unique<blocks>(random); }
std::unique_ptr<actor> make_copies(dice &random) { return std::make_unique<copies>(random); }

} // namespace laio::test
