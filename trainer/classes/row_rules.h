#pragma once
// One class row in memory and the formulas that move it (class_rows.h), value by value: compiled so that several values
// are computed at once, which changes no bit.
#include <cstddef>
#include <cstdint>

namespace facemae {

struct SgdRule {
  float rate, momentum, decay;
  bool nesterov;
  /// c: centre, m: momentum buffer, g: gradient; of `width` values each, apart from each other.
  void move(float* c, float* m, const float* g, std::size_t width) const;
};

struct AdamwRule {
  double rate, decay, beta1, beta2, eps;
  /// c: centre, m: exp_avg, v: exp_avg_sq, g: gradient; `update`: the row's own, from 1 on.
  void move(float* c, float* m, float* v, const float* g, std::size_t width, std::int32_t update) const;
};

}  // namespace facemae
