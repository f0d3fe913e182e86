// The floating-point environment: rounding modes and masked exceptions of both units go with the application, whether a
// call blocks or not, and whatever the thread that carries it had.
#include "journey.hpp"

#include <cfenv>
#include <cmath>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace laio::test {
namespace {

using float_identity = identity_test;

#if defined(__x86_64__)
unsigned sse_control() { return __builtin_ia32_stmxcsr(); }
unsigned x87_control() {
    unsigned short word = 0;
    asm volatile("fnstcw %0" : "=m"(word));
    return word;
}
void set_x87_control(unsigned value) {
    const auto word = static_cast<unsigned short>(value);
    asm volatile("fldcw %0" : : "m"(word));
}
#endif

// Not folded by the compiler.
volatile double third_of = 3.0;
volatile long double long_third_of = 3.0L;

class rounding {
public:
    explicit rounding(int mode) : before_{std::fegetround()} { std::fesetround(mode); }
    ~rounding() { std::fesetround(before_); }
    rounding(const rounding &) = delete;
    rounding &operator=(const rounding &) = delete;

private:
    int before_;
};

TEST_F(float_identity, rounding_mode_is_kept_when_a_call_blocks) {
    for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST}) {
        SCOPED_TRACE(mode);
        const rounding set{mode};
        const double third = 1.0 / third_of;
        const long double long_third = 1.0L / long_third_of;
        at_each_place([&](journey &) {
            EXPECT_EQ(std::fegetround(), mode);
            EXPECT_EQ(1.0 / third_of, third);
            EXPECT_EQ(1.0L / long_third_of, long_third);
            EXPECT_EQ(laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK), 0); // in place, not blocked
            EXPECT_EQ(std::fegetround(), mode);
        });
    }
}

// Set while carried: home has it, though it had another one when it was left.
TEST_F(float_identity, rounding_mode_comes_home) {
    journey way;
    const rounding at_home{FE_TONEAREST};
    way.leave();
    const rounding away{FE_UPWARD};
    way.leave();
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
    way.go_home();
    EXPECT_EQ(std::fegetround(), FE_UPWARD);
    // and the thread that carried us then has what we have now, not what it had
    const rounding again{FE_DOWNWARD};
    way.leave();
    EXPECT_EQ(std::fegetround(), FE_DOWNWARD);
    way.go_home();
}

// Flags that SSE raised. Those of the x87 (long double) are not asked for: they stay where they were raised.
TEST_F(float_identity, exception_flags_go_along) {
    journey way;
    volatile double zero = 0.0;
    std::feclearexcept(FE_ALL_EXCEPT);
    volatile double raised = 1.0 / zero;
    way.leave();
    EXPECT_TRUE(std::isinf(raised));
    EXPECT_EQ(std::fetestexcept(FE_DIVBYZERO | FE_INVALID), FE_DIVBYZERO);
    raised = zero / zero;
    way.leave();
    EXPECT_EQ(std::fetestexcept(FE_DIVBYZERO | FE_INVALID), FE_DIVBYZERO | FE_INVALID);
    std::feclearexcept(FE_ALL_EXCEPT);
    way.go_home();
    EXPECT_EQ(std::fetestexcept(FE_DIVBYZERO | FE_INVALID), 0);
}

#if defined(__x86_64__)
// Flush-to-zero and denormals-are-zero, and the precision of the x87: what numeric libraries set at their start.
TEST_F(float_identity, control_words_are_kept_whole) {
    const unsigned sse_before = sse_control();
    const unsigned x87_before = x87_control();
    const unsigned sse = sse_before | 0x8040U;
    const unsigned x87 = (x87_before & ~0x300U) | 0x200U; // to 53 bits
    __builtin_ia32_ldmxcsr(sse);
    set_x87_control(x87);
    at_each_place([&](journey &) {
        EXPECT_EQ(sse_control() & ~0x3fU, sse & ~0x3fU);
        EXPECT_EQ(x87_control(), x87);
    });
    __builtin_ia32_ldmxcsr(sse_before);
    set_x87_control(x87_before);
}
#endif

} // namespace
} // namespace laio::test
