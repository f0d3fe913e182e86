// The fixture of tests with slow files: the contract's, with a server that is there before the loop and after it.
#pragma once

#include "slow_call.hpp"
#include "ticker.hpp"

#include <memory>
#include <vector>

namespace laio::test {

// A call and the scene that it is made in.
struct played {
    const slow_call *call;
    std::unique_ptr<scene> where;

    [[nodiscard]] call_record *begin() const { return call->begin_in(*where); }
    [[nodiscard]] outcome plain() const { return call->plain_in(*where); }
    void clean_up(outcome result) const { call->clean_up(*where, result); }
};

class slow_files_test : public contract_test {
protected:
    void SetUp() override;
    void TearDown() override; // all calls go on

    played play(const slow_call &call) { return {&call, std::make_unique<scene>(*files_, next_scene_++)}; }
    std::vector<played> play_each(); // of slow_calls()

    slow_files &files() { return *files_; }

private:
    std::unique_ptr<slow_files> files_;
    unsigned next_scene_ = 0;
};

} // namespace laio::test
