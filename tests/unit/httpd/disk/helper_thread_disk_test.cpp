// Helper threads on a small loop.
#include "disk/helper_thread_disk.hpp"

#include "disk_acts.hpp"

namespace httpd::test {
namespace {

class helper_threads : public disk_acts {
protected:
    std::unique_ptr<disk> make_disk(unsigned concurrency) override {
        return std::make_unique<helper_thread_disk>(loop, files.root, concurrency);
    }
};

TEST_F(helper_threads, answer_as_the_disk_does) { answers_as_the_disk_does(); }
TEST_F(helper_threads, many_at_once) { many_at_once(); }
TEST_F(helper_threads, cold_bytes) { cold_bytes(); }
TEST_F(helper_threads, leave_nothing_behind) { leaves_nothing_behind(); }

std::size_t threads() {
    const std::filesystem::directory_iterator all("/proc/self/task");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST_F(helper_threads, are_started_when_there_is_work_and_end_with_it) {
    const auto before = threads();
    {
        const auto some = make_disk(4);
        EXPECT_EQ(threads(), before);
        asker who;
        for (int i = 0; i < 3; ++i) {
            who.takes(some->status(who, "f", who.status));
            wait_for(loop, who);
        }
        EXPECT_EQ(threads(), before + 1); // idle each time
        std::vector<asker> askers(100);
        for (std::size_t i = 0; i < askers.size(); ++i)
            askers[i].takes(some->status(askers[i], ("f" + std::to_string(i)).c_str(), askers[i].status));
        for (auto &one : askers) wait_for(loop, one);
        EXPECT_LE(threads(), before + 4);
    }
    EXPECT_EQ(threads(), before);
}

} // namespace
} // namespace httpd::test
