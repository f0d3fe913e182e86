#include "workload/exact_math.hpp"

#include <array>
#include <cmath> // frexp, ldexp, sqrt, floor: exact

namespace replay::exact {
namespace {

constexpr double ln2_high = 0x1.62e42fefa38p-1; // its last bits are zero: k * ln2_high is exact
constexpr double ln2_low = 0x1.ef35793c7673p-45;

// c[0] x^(n-1) + ... + c[n-1]
template <std::size_t n> double horner(const std::array<double, n> &c, double x) {
    double sum = 0;
    for (const double each : c) sum = sum * x + each;
    return sum;
}

} // namespace

double exp(double x) {
    const double k = std::floor(x / (ln2_high + ln2_low) + 0.5);
    const double r = (x - k * ln2_high) - k * ln2_low; // |r| < 0.35
    double sum = 1;
    for (int i = 16; i >= 1; --i) sum = 1 + sum * r / i;
    return std::ldexp(sum, static_cast<int>(k));
}

double log(double x) {
    int k = 0;
    double m = std::frexp(x, &k); // [0.5, 1)
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2;
        --k;
    }
    const double t = (m - 1) / (m + 1); // |t| < 0.172
    const double square = t * t;
    double sum = 0;
    for (int i = 23; i >= 1; i -= 2) sum = sum * square + 1.0 / i;
    return k * ln2_high + (2 * t * sum + k * ln2_low);
}

double pow(double x, double y) { return exp(y * log(x)); }

// Acklam's rational approximation, in three pieces: relative error below 1.2e-9.
double normal_quantile(double p) {
    constexpr std::array<double, 6> a = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                         1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
    constexpr std::array<double, 6> b = {-5.447609879822406e+01, 1.615858368580409e+02,  -1.556989798598866e+02,
                                         6.680131188771972e+01,  -1.328068155288572e+01, 1};
    constexpr std::array<double, 6> c = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                         -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
    constexpr std::array<double, 5> d = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                         3.754408661907416e+00, 1};
    constexpr double tail = 0.02425;
    if (p < tail) {
        const double q = std::sqrt(-2 * log(p));
        return horner(c, q) / horner(d, q);
    }
    if (p > 1 - tail) return -normal_quantile(1 - p);
    const double q = p - 0.5;
    return q * horner(a, q * q) / horner(b, q * q);
}

// By bisection: seldom asked for, and the exact inverse of what values are drawn with.
double normal_cdf(double x) {
    double low = 1e-15;
    double high = 1 - 1e-15;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        (normal_quantile(middle) < x ? low : high) = middle;
    }
    return high;
}

} // namespace replay::exact
