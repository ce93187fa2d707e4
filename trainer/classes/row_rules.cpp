#include "trainer/classes/row_rules.h"

#include <cmath>

namespace facemae {
namespace {

template <bool kNesterov>
void move_by_momentum(float* __restrict c, float* __restrict m, const float* __restrict g, std::size_t width,
                      const SgdRule& rule) {
  const auto [rate, momentum, decay, nesterov] = rule;
  for (std::size_t d = 0; d < width; ++d) {
    const float slope = g[d] + decay * c[d];
    m[d] = momentum * m[d] + slope;
    c[d] -= rate * (kNesterov ? slope + momentum * m[d] : m[d]);
  }
}

void move_by_moments(float* __restrict c, float* __restrict m, float* __restrict v, const float* __restrict g,
                     std::size_t width, const AdamwRule& rule, std::int32_t update) {
  const auto rate = static_cast<float>(rule.rate / (1 - std::pow(rule.beta1, update))),
             root = static_cast<float>(std::sqrt(1 - std::pow(rule.beta2, update))),
             shrink = static_cast<float>(1 - rule.rate * rule.decay), eps = static_cast<float>(rule.eps),
             beta1 = static_cast<float>(rule.beta1), new1 = static_cast<float>(1 - rule.beta1),
             beta2 = static_cast<float>(rule.beta2), new2 = static_cast<float>(1 - rule.beta2);
  for (std::size_t d = 0; d < width; ++d) {
    m[d] = beta1 * m[d] + new1 * g[d];
    v[d] = beta2 * v[d] + new2 * g[d] * g[d];
    c[d] = shrink * c[d] - rate * m[d] / (std::sqrt(v[d]) / root + eps);
  }
}

}  // namespace

void SgdRule::move(float* c, float* m, const float* g, std::size_t width) const {
  (nesterov ? move_by_momentum<true> : move_by_momentum<false>)(c, m, g, width, *this);
}

void AdamwRule::move(float* c, float* m, float* v, const float* g, std::size_t width,
                     std::int32_t update) const {
  move_by_moments(c, m, v, g, width, *this, update);
}

}  // namespace facemae
