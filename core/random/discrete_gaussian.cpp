#include "core/random/discrete_gaussian.h"

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

__extension__ using Wide = unsigned __int128;

/// Uniform in [0, n).
Wide below(SecretStream& draws, Wide n) {
  const Wide unfair = -n % n;  // 2^128 mod n
  for (;;) {
    const Wide high = draws.next(), value = high << 64 | draws.next();
    if (value >= unfair) return value % n;
  }
}

/// True with probability exp(-x / y), x <= y: the parity of the first k at which a coin of probability x / (y k) fails.
bool exp_of_fraction(SecretStream& draws, Wide x, Wide y) {
  Wide k = 1;
  while (below(draws, y * k) < x) ++k;
  return k % 2 == 1;
}

/// True with probability exp(-x / y).
bool exp_of(SecretStream& draws, Wide x, Wide y) {
  for (; x > y; x -= y)
    if (!exp_of_fraction(draws, 1, 1)) return false;
  return exp_of_fraction(draws, x, y);
}

struct Signed {
  bool negative;
  std::uint64_t size;
};

/// P(x) proportional to exp(-|x| / scale).
Signed discrete_laplace(SecretStream& draws, std::uint64_t scale) {
  for (;;) {
    const std::uint64_t rest = draws.below(scale);
    if (!exp_of_fraction(draws, rest, scale)) continue;
    std::uint64_t whole = 0;
    while (exp_of_fraction(draws, 1, 1)) ++whole;
    const Signed drawn{.negative = draws.below(2) == 1, .size = rest + scale * whole};
    if (!drawn.negative || drawn.size > 0) return drawn;  // 0 must not count twice
  }
}

std::uint64_t root_of(std::uint64_t square) {
  auto root = static_cast<std::uint64_t>(std::sqrt(static_cast<double>(square)));
  while (root * root > square) --root;
  while ((root + 1) * (root + 1) <= square) ++root;
  return root;
}

}  // namespace

std::int64_t discrete_gaussian(SecretStream& draws, std::uint64_t variance) {
  if (variance == 0 || variance > kLargestDiscreteVariance)
    throw Error("drawing a discrete Gaussian: its variance must be from 1 to 2^48");
  const std::uint64_t scale = root_of(variance) + 1;
  for (;;) {
    const Signed drawn = discrete_laplace(draws, scale);
    // exp(-(|x| - variance / scale)^2 / (2 variance)), both sides times scale^2
    const Wide at = Wide{drawn.size} * scale, centre = variance;
    const Wide apart = at > centre ? at - centre : centre - at;
    if (!exp_of(draws, apart * apart, Wide{2} * variance * scale * scale)) continue;
    const auto size = static_cast<std::int64_t>(drawn.size);
    return drawn.negative ? -size : size;
  }
}

}  // namespace facemae
