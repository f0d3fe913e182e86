// Logarithm, exponential and the normal distribution from additions, multiplications, divisions and square roots alone,
// which IEEE 754 defines to the last bit: a workload has the same bytes on every machine. The C library's differ between
// versions, and between processors with and without fused multiplication; this file is compiled without contraction.
// Relative error below 1e-13 (the normal distribution's: 1e-9), which is more than a workload needs. Pure; no system calls.
#pragma once

namespace replay::exact {

double exp(double x);             // for |x| up to 700
double log(double x);             // for x > 0
double pow(double x, double y);   // for x > 0
double normal_quantile(double p); // for 0 < p < 1
double normal_cdf(double x);      // for |x| up to 8, beyond which it is that of 8

} // namespace replay::exact
