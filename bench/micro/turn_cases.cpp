// A turn of an event loop: a byte that is not there yet is asked for, a file is looked up whose name is in memory, the
// byte arrives, and the loop waits for it. Only LAIO's stat cannot block the loop: the others show what that costs.
#include "cases.hpp"
#include "common/channel.hpp"
#include "common/failure.hpp"
#include "with_way.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

namespace laio::bench {
namespace {

// A stat that blocks the loop if it has to. Plain for all but LAIO.
template <typename way_type> struct loop_stat {
    static long call(way_type & /*of*/, const char *path, struct stat &status) {
        return ::syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0);
    }
};

// It goes to a carrier where there are no activations, or where the ring has the byte's request; then two completions
// are waited for.
class laio_turn_way {
public:
    explicit laio_turn_way(way which) : way_(which), which_(which) {}
    void open(int fd) { way_.open(fd); }
    void close() { way_.close(); }

    template <input kind> void submit(const request &wanted) {
        way_.template submit<kind>(wanted);
        byte_ = laio_gethandle();
        is_stat_waiting_ = false;
    }

    long stat(const char *path, struct stat &status) {
        const long result = laio_syscall(SYS_newfstatat, AT_FDCWD, path, &status, 0);
        is_stat_waiting_ = result == -1 && errno == EINPROGRESS;
        return is_stat_waiting_ ? 0 : result;
    }

    template <input kind> long finish() {
        if (!is_stat_waiting_) return way_.poll_one(byte_);
        long result = 0;
        for (int left = 2; left > 0; --left) {
            laio_completion completion;
            if (laio_way::poll_all(&completion, 1) != 1) fail("{}: laio_poll() failed", name_of(which_).key);
            if (completion.laio_handle == byte_) result = completion.laio_return_value;
            else if (completion.laio_return_value != 0) fail("{}: stat failed", name_of(which_).key);
        }
        return result;
    }

private:
    laio_way way_;
    way which_;
    laio_handle_t byte_ = nullptr;
    bool is_stat_waiting_ = false;
};

template <> struct loop_stat<laio_turn_way> {
    static long call(laio_turn_way &of, const char *path, struct stat &status) { return of.stat(path, status); }
};

template <typename way_type> class turn_subject : public subject {
public:
    turn_subject(way which, std::shared_ptr<const channel> bytes, std::string path)
        : way_(which), which_(which), channel_(std::move(bytes)), path_(std::move(path)) {}

    void open() override { way_.open(channel_->reader.get()); }
    void prepare(std::size_t /*operations*/) override {}
    void close() override { way_.close(); }

    void run(std::size_t operations) override {
        unsigned char got = 0;
        struct stat status;
        const request wanted{.fd = channel_->reader.get(), .buffer = &got, .length = 1, .offset = 0};
        for (std::size_t i = 0; i < operations; ++i) {
            const auto byte = static_cast<unsigned char>(i * 7 + 1);
            got = 0;
            status.st_mode = 0;
            way_.template submit<input::receive>(wanted);
            const long looked_up = loop_stat<way_type>::call(way_, path_.c_str(), status);
            if (::write(channel_->writer.get(), &byte, 1) != 1) [[unlikely]]
                fail("turn/{}: write: {}", name_of(which_).key, error_text(errno));
            const long result = way_.template finish<input::receive>();
            if (looked_up != 0 || !S_ISDIR(status.st_mode) || result != 1 || got != byte) [[unlikely]]
                fail("turn/{}: stat gave {}, recv {} with byte {}", name_of(which_).key, looked_up, result, got);
        }
    }

private:
    way_type way_;
    way which_;
    std::shared_ptr<const channel> channel_;
    std::string path_;
};

} // namespace

std::vector<bench_case> turn_cases(const std::string &path) {
    const auto bytes = std::make_shared<const channel>(make_channel(channel_kind::unix_stream));
    bench_case made;
    made.key = "turn";
    made.title = "turn: byte not ready, stat";
    made.table = table::calls;
    made.waits = true;
    made.ways = {way::plain,     way::plain_threads, way::epoll,     way::laio,    way::laio_no_ring,
                 way::laio_ring, way::laio_promised, way::laio_told, way::liburing};
    made.make = [bytes, path](way which) -> std::unique_ptr<subject> {
        if (is_laio(which)) return std::make_unique<turn_subject<laio_turn_way>>(which, bytes, path);
        return with_way(which, [&]<typename way_type>(std::type_identity<way_type>) -> std::unique_ptr<subject> {
            return std::make_unique<turn_subject<way_type>>(which, bytes, path);
        });
    };
    return {std::move(made)};
}

} // namespace laio::bench
