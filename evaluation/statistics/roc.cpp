#include "evaluation/statistics/roc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace facemae {
namespace {

double share(std::int64_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

/// Is the step from a to b that from b to c?
bool goes_on(const RocPoint& a, const RocPoint& b, const RocPoint& c) {
  return c.same - b.same == b.same - a.same && c.different - b.different == b.different - a.different;
}

/// The points that scikit-learn's roc_curve keeps (drop_intermediate), but for the one of no accepts.
template <class Score>
void walk_kept_roc(const PairScores<Score>& sorted, const SeePoint& see) {
  std::optional<RocPoint> before, last;
  walk_roc(sorted, [&](const RocPoint& point) {
    if (last && (!before || !goes_on(*before, *last, point))) see(*last);
    before = last;
    last = point;
  });
  if (last) see(*last);
}

}  // namespace

template <class Score>
void PairScores<Score>::sort() {
  std::sort(same.begin(), same.end());
  std::sort(different.begin(), different.end());
}

template <class Score>
void walk_roc(const PairScores<Score>& sorted, const SeePoint& see) {
  const auto& [same, different] = sorted;
  for (std::size_t s = 0, d = 0; s < same.size() || d < different.size();) {
    const bool of_same = d == different.size() || (s < same.size() && same[s] <= different[d]);
    const Score score = of_same ? same[s] : different[d];
    while (s < same.size() && same[s] == score) ++s;
    while (d < different.size() && different[d] == score) ++d;
    see({static_cast<double>(score), static_cast<std::int64_t>(s), static_cast<std::int64_t>(d)});
  }
}

bool allows_far(std::int64_t different, double far) { return 1 / static_cast<double>(different) <= far; }

template <class Score>
std::vector<TarAtFar> tar_at_far(const PairScores<Score>& sorted) {
  const std::size_t same = sorted.same.size(), different = sorted.different.size();
  std::vector<TarAtFar> rates;
  if (same == 0) return rates;
  for (const double far : kFars)
    if (allows_far(static_cast<std::int64_t>(different), far)) rates.push_back({.far = far});
  walk_roc(sorted, [&](const RocPoint& point) {
    for (auto& rate : rates)
      if (share(point.different, different) <= rate.far) rate.tar = share(point.same, same);
  });
  walk_kept_roc(sorted, [&](const RocPoint& point) {
    const double far = share(point.different, different);
    for (auto& rate : rates)
      // Points come with ever more true accepts.
      if (std::abs(far - rate.far) <= std::abs(rate.nearest_far - rate.far))
        rate.nearest_far = far, rate.nearest_tar = share(point.same, same);
  });
  return rates;
}

template <class Score>
RocAreas roc_areas(const PairScores<Score>& sorted) {
  using Whole = long double;  // exact up to 2^64, and not wrong beyond
  const auto same = static_cast<Whole>(sorted.same.size()),
             different = static_cast<Whole>(sorted.different.size());
  if (same == 0 || different == 0)
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  const auto quotient = [](Whole a, Whole b) { return static_cast<double>(a) / static_cast<double>(b); };
  RocAreas areas;
  Whole twice_area = 0, s0 = 0, d0 = 0;
  bool met = false;
  walk_roc(sorted, [&](const RocPoint& point) {
    const auto s1 = static_cast<Whole>(point.same), d1 = static_cast<Whole>(point.different);
    twice_area += (d1 - d0) * (s0 + s1);
    if (!met && d1 * same + s1 * different >= same * different) {
      const Whole along = same * different - d0 * same - s0 * different,
                  whole = (d1 - d0) * same + (s1 - s0) * different;
      areas.eer = quotient(d0 * whole + along * (d1 - d0), whole * different);
      met = true;
    }
    s0 = s1, d0 = d1;
  });
  areas.auc = quotient(twice_area, 2 * same * different);
  return areas;
}

template struct PairScores<float>;
template struct PairScores<double>;
template void walk_roc(const PairScores<float>&, const SeePoint&);
template void walk_roc(const PairScores<double>&, const SeePoint&);
template std::vector<TarAtFar> tar_at_far(const PairScores<float>&);
template std::vector<TarAtFar> tar_at_far(const PairScores<double>&);
template RocAreas roc_areas(const PairScores<float>&);
template RocAreas roc_areas(const PairScores<double>&);

}  // namespace facemae
