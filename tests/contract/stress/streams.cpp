// A stream that is written and read in random portions, cancelled and closed: what its reads got is what its writes say they
// gave, in order, no byte lost or doubled.
#include "stress/actor.hpp"

#include <algorithm>
#include <sys/socket.h>
#include <sys/uio.h>
#include <vector>

namespace laio::test {
namespace {

// A pipe or socket that is written at one end and read at the other, both through the library.
class stream final : public actor {
public:
    explicit stream(dice &random) : random_{&random} {
        const signals_held held;
        switch (random.below(3)) {
        case 0: {
            pipe_ends ends = make_pipe();
            ends_ = {std::move(ends.reader), std::move(ends.writer)};
            break;
        }
        case 1: ends_ = make_unix_pair(); break;
        default: ends_ = make_tcp_pair();
        }
        int type = 0;
        socklen_t length = sizeof type;
        is_socket_ = getsockopt(ends_.near.get(), SOL_SOCKET, SO_TYPE, &type, &length) == 0;
    }

    void act() override {
        switch (random_->below(8)) {
        case 0:
        case 1:
        case 2: add(writes_, pattern(1 + random_->below(random_->one_in(8) ? 150000 : 3000), ++portions_), true); break;
        case 3:
        case 4:
        case 5: add(reads_, std::string(1 + random_->below(random_->one_in(8) ? 150000 : 3000), '\0'), false); break;
        default:
            if (random_->one_in(3)) cancel_one(random_->one_in(2) ? reads_ : writes_);
        }
    }

    // Ends it in one of the ways there are, and compares what went in with what came out.
    void end() override {
        int writer = ends_.far.get();
        if (random_->one_in(2)) {
            EXPECT_EQ(finish(begin(SYS_close, ends_.far.release())), (outcome{0, 0}));
            writer = -1;
        }
        for (const portions *all : {&reads_, &writes_})
            for (const auto &one : *all) cancel_if_waiting(one->call);
        for (const portions *all : {&reads_, &writes_})
            for (const auto &one : *all) finish(one->call);
        if (writer >= 0) ends_.far.reset();
        const std::string sent = content(writes_);
        std::string seen = content(reads_);
        seen += read_all(ends_.near.get(), sent.size() + 1);
        EXPECT_EQ(seen.size(), sent.size());
        const auto differs = std::mismatch(seen.begin(), seen.end(), sent.begin(), sent.end());
        EXPECT_TRUE(seen == sent) << "from byte " << differs.first - seen.begin() << " of " << seen.size()
                                  << (is_socket_ ? " of a socket" : " of a pipe");
    }

private:
    struct portion {
        std::string bytes;
        call_record *call;
    };
    using portions = std::vector<std::unique_ptr<portion>>;

    static std::string content(const portions &all) {
        std::string bytes;
        for (const auto &one : all) {
            const outcome &result = one->call->result;
            EXPECT_TRUE(result.value >= 0 || result.error == ECANCELED)
                << result << " of call " << one->call->number << " for " << one->bytes.size()
                << " bytes"; // 0: the writer was closed
            bytes += one->bytes.substr(0, static_cast<std::size_t>(std::max(result.value, 0L)));
        }
        return bytes;
    }

    void add(portions &all, std::string bytes, bool is_write) {
        constexpr std::size_t waiting_max = 6;
        const auto waiting =
            std::count_if(all.begin(), all.end(), [](const auto &one) { return !one->call->complete; });
        if (static_cast<std::size_t>(waiting) >= waiting_max) return;
        auto &made = *all.emplace_back(std::make_unique<portion>(portion{std::move(bytes), nullptr}));
        const int fd = is_write ? ends_.far.get() : ends_.near.get();
        char *start = made.bytes.data();
        const std::size_t size = made.bytes.size();
        if (is_socket_ && random_->one_in(2)) {
            made.call = begin_again(is_write ? SYS_sendto : SYS_recvfrom, fd, start, size, 0, nullptr, nullptr);
        } else if (random_->one_in(3)) {
            const std::array<iovec, 2> pieces{iovec{start, size / 3}, iovec{start + size / 3, size - size / 3}};
            made.call = begin_again(is_write ? SYS_writev : SYS_readv, fd, pieces.data(), pieces.size());
        } else {
            made.call = begin_again(is_write ? SYS_write : SYS_read, fd, start, size);
        }
    }

    void cancel_one(const portions &all) {
        if (!all.empty())
            cancel_if_waiting(all[all.size() - 1 - random_->below(std::min<std::size_t>(all.size(), 6))]->call);
    }

    dice *random_;
    descriptor_pair ends_;
    bool is_socket_ = false;
    portions writes_;
    portions reads_;
    std::uint32_t portions_ = 0;
};

} // namespace

std::unique_ptr<actor> make_stream(dice &random) { return std::make_unique<stream>(random); }

} // namespace laio::test
