// Names in a directory: made, looked at, renamed and removed. None of these calls has a non-blocking form, and hardly any of
// them blocks: where there are activations they return in place.
#include "stress/actor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace laio::test {
namespace {

class tree final : public actor {
public:
    explicit tree(dice &random)
        : random_{&random}, root_{open(files_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)} {}

    void act() override {
        name &one = all_[random_->below(all_.size())];
        if (!one.call.complete) return;
        settle(one);
        one.target.clear();
        switch (random_->below(5)) {
        case 0: return begin_change(one, one.is_there ? -1 : 0, SYS_mkdirat, root_.get(), one.path.c_str(), 0755);
        case 1:
            return begin_change(one, one.is_there ? 0 : -1, SYS_unlinkat, root_.get(), one.path.c_str(), AT_REMOVEDIR);
        case 2: return rename(one);
        case 3:
            one.status = {};
            return begin_change(one, one.is_there ? 0 : -1, SYS_newfstatat, root_.get(), one.path.c_str(), &one.status,
                                0);
        default: return begin_change(one, one.is_there ? 0 : -1, SYS_faccessat, root_.get(), one.path.c_str(), F_OK);
        }
    }
    void end() override {
        std::size_t expected = 0;
        for (name &one : all_) {
            finish(&one.call);
            settle(one);
            expected += one.is_there ? 1 : 0;
        }
        EXPECT_EQ(count(), expected);
    }

private:
    struct name {
        std::string path;
        bool is_there = false;
        std::string target{}; // of a renaming
        long number = 0;
        long expected = 0;
        struct stat status {};
        call_record call{.complete = true};
    };

    template <class... argument> static void begin_change(name &one, long expected, long number, argument... values) {
        one.number = number;
        one.expected = expected;
        begin_again_in(one.call, number, values...);
    }

    void rename(name &one) {
        one.target = "n" + std::to_string(++names_);
        begin_change(one, one.is_there ? 0 : -1, SYS_renameat2, root_.get(), one.path.c_str(), root_.get(),
                     one.target.c_str(), 1); // RENAME_NOREPLACE
    }

    static void settle(name &one) {
        if (one.number == 0) return;
        const long number = std::exchange(one.number, 0);
        ASSERT_EQ(one.call.result.value, one.expected)
            << one.call.result << " of call " << number << " on " << one.path;
        if (number == SYS_mkdirat) one.is_there = true;
        if (number == SYS_unlinkat) one.is_there = false;
        if (number == SYS_renameat2 && one.is_there) one.path = one.target;
        if (number == SYS_newfstatat && one.is_there) { EXPECT_TRUE(S_ISDIR(one.status.st_mode)); }
    }

    [[nodiscard]] std::size_t count() const {
        alignas(8) std::array<char, 4096> buffer{};
        std::size_t found = 0;
        for (;;) {
            const outcome got = finish(begin_again(SYS_getdents64, root_.get(), buffer.data(), buffer.size()));
            EXPECT_GE(got.value, 0) << got;
            if (got.value <= 0) return found - 2; // . and ..
            for (long place = 0; place < got.value; ++found)
                place += reinterpret_cast<const dirent64 *>(buffer.data() + place)->d_reclen;
        }
    }

    dice *random_;
    directory files_;
    descriptor root_;
    unsigned names_ = 4;
    std::array<name, 4> all_{name{"n1"}, name{"n2"}, name{"n3"}, name{"n4"}};
};

} // namespace

std::unique_ptr<actor> make_tree(dice &random) { return std::make_unique<tree>(random); }

} // namespace laio::test
