#pragma once
// Draws whole numbers of a discrete Gaussian, exactly and from a secret: the noise of differential privacy. A rounded
// floating-point normal would give itself away by its last bits (Mironov 2012; NIST SP 800-226, "Floating-point").
#include <cstdint>

#include "core/random/secret.h"

namespace facemae {

/// The largest variance, for which no product leaves 128 bits.
constexpr std::uint64_t kLargestDiscreteVariance = std::uint64_t{1} << 48;

/// P(x) proportional to exp(-x^2 / (2 variance)) over all whole numbers (Canonne, Kamath and Steinke 2020, arXiv
/// 2004.00010, algorithms 1 to 3): by comparisons of whole numbers alone, without rounding. Takes a random number of
/// draws; its running time tells something of the draw to whoever can measure it. `variance` from 1 to
/// kLargestDiscreteVariance, else Error.
std::int64_t discrete_gaussian(SecretStream& draws, std::uint64_t variance);

}  // namespace facemae
