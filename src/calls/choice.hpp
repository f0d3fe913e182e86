// Attempt or in place? Where a call has both ways, the one that has been cheaper for its kind so far.
//
// An attempt costs a little more than the plain call each time, and little when the call blocks. In place a call costs less
// when it does not block, and as much as some hundred attempts (`worth`) when it does. So, as one rents skis: attempts until
// as many in a row as that have not blocked, then in place; and when one blocks there, attempts again, for twice as long if
// that was soon. Files that are in memory end in place, those on the disk in attempts, and neither loses more than about as
// much again as the better way would have cost. Kinds, not descriptors: a descriptor is often used once. Used by the
// loop's thread.
#pragma once

#include "calls/operation.hpp"
#include "kernel/file.hpp"

#include <cstdint>

namespace laio {

class choice {
public:
    // `worth`: how many attempts cost as much more than the plain call as one that blocks in place.
    constexpr choice(std::uint32_t worth, bool begins_in_place)
        : worth_(worth), wanted_(worth), quiet_(begins_in_place ? worth : 0) {}

    [[nodiscard]] bool is_in_place() const { return quiet_ >= wanted_; }

    // An attempt was made. Calls are counted from outside (`now`), so that one in place costs nothing here.
    void note_attempt(bool blocked, std::uint64_t now) {
        quiet_ = blocked ? 0 : quiet_ + 1;
        if (is_in_place()) since_ = now;
    }

    void note_blocked_in_place(std::uint64_t now) {
        const std::uint64_t lasted = now - since_;
        if (lasted < 2 * std::uint64_t{wanted_} && wanted_ < most_wanted) wanted_ *= 2;
        else if (lasted > 16 * std::uint64_t{wanted_} && wanted_ > worth_) wanted_ /= 2;
        quiet_ = 0;
    }

private:
    static constexpr std::uint32_t most_wanted = 1u << 20;

    std::uint32_t worth_;
    std::uint32_t wanted_;    // attempts in a row that do not block, before it is made in place
    std::uint32_t quiet_;     // so many have been
    std::uint64_t since_ = 0; // when it began to be made in place
};

// The kinds that choose for themselves.
class choices {
public:
    // nullptr: there is nothing to choose.
    [[nodiscard]] choice *of(form attempt, file_kind kind) {
        switch (attempt) {
        case form::read:
            switch (kind) {
            case file_kind::pipe: return &pipe_;
            case file_kind::regular:
            case file_kind::block: return &file_;
            case file_kind::unknown: return unattempted_ ? &file_ : nullptr;
            default: return nullptr;
            }
        case form::open: return &open_;
        case form::status: return &status_;
        case form::close: return &close_;
        default: return nullptr;
        }
    }

    // Whether the bytes of files that are sent are asked for before.
    [[nodiscard]] choice &sending() { return send_file_; }

    // Reads are not attempted, and nobody has to be asked for O_NONBLOCK: what is not known to be anything else goes in place.
    void drop_attempts_of_reads() {
        unattempted_ = true;
        pipe_ = file_ = choice{0, true};
    }

private:
    choice pipe_{256, false};
    choice file_{256, false};
    // their attempts take several system calls
    choice open_{16, true};
    choice status_{64, true};
    choice close_{16, true};
    choice send_file_{32, true};
    bool unattempted_ = false;
};

} // namespace laio
