#pragma once
// 95 % intervals of proportions. clopper_pearson is declared in evaluation/attack.h.
#include <cstdint>
#include <span>

#include "evaluation/attack.h"

namespace facemae {

/// The regularised incomplete beta function I_x(a, b), a, b > 0, by its continued fraction (DLMF 8.17.22).
double incomplete_beta(double x, double a, double b);

/// sum(hits) / sum(trials) over probes, with the percentile interval of 1,000 resamples of whole identities:
/// images of one person are not independent. With fewer than ten hits or misses, where a bootstrap sees too
/// little, the interval is widened to Clopper-Pearson's. `figure` numbers the figure, so that each has its
/// own draws. NaN without trials.
Figure bootstrap_by_identity(std::span<const double> hits, std::span<const double> trials,
                             std::span<const std::int64_t> identity, std::uint64_t seed,
                             std::uint64_t figure);

}  // namespace facemae
