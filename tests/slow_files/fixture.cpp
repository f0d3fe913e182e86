// See fixture.hpp.
#include "fixture.hpp"

namespace laio::test {

void slow_files_test::SetUp() {
    files_ = std::make_unique<slow_files>();
    contract_test::SetUp();
    if (!IsSkipped() && !files_->is_there()) GTEST_SKIP() << files_->why_not();
}

void slow_files_test::TearDown() {
    files_->release();
    contract_test::TearDown();
    files_.reset();
}

std::vector<played> slow_files_test::play_each() {
    std::vector<played> all;
    for (const slow_call &call : slow_calls()) all.push_back(play(call));
    return all;
}

} // namespace laio::test
