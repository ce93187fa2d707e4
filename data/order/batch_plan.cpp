#include <algorithm>

#include "data/order/order.h"

namespace facemae {

std::int64_t BatchPlan::micro_rows(int micro) const {
  return static_cast<std::int64_t>(micro_begin(micro + 1) - micro_begin(micro));
}

std::uint64_t BatchPlan::part_begin(std::uint64_t n, int rank) const {
  const auto r = static_cast<std::uint64_t>(rank), w = static_cast<std::uint64_t>(world),
             s = static_cast<std::uint64_t>(slots);
  return (slots == 0 ? r * (n / together) / w : r * s / w * (n / together) / s) * together;
}

std::vector<std::int64_t> BatchPlan::rows_of_rank(int micro) const {
  const auto n = static_cast<std::uint64_t>(micro_rows(micro));
  std::vector<std::int64_t> rows;
  rows.reserve(static_cast<std::size_t>(world));
  for (int r = 0; r < world; ++r)
    rows.push_back(static_cast<std::int64_t>(part_begin(n, r + 1) - part_begin(n, r)));
  return rows;
}

std::vector<std::int64_t> BatchPlan::rows_of_slots(int micro, int rank) const {
  const auto size = static_cast<std::int64_t>(together);
  const std::int64_t sets = micro_rows(micro) / size;
  std::vector<std::int64_t> rows;
  for (std::int64_t s = rank * slots / world; s < (rank + 1) * slots / world; ++s)
    rows.push_back(((s + 1) * sets / slots - s * sets / slots) * size);
  return rows;
}

std::vector<std::uint64_t> BatchPlan::ordinals(std::uint64_t step, int micro, int rank) const {
  const auto n = static_cast<std::uint64_t>(micro_rows(micro));
  const std::uint64_t first = step * global_batch + micro_begin(micro), end = first + n;
  // Every lane has n / L ordinals, and n % L lanes, cyclically from that of the first ordinal on,
  // have one more.
  const std::uint64_t phase = first % lanes, last = phase + n % lanes;
  const auto in_lanes_below = [&](std::uint64_t lane) {
    return lane * (n / lanes) + std::min(lane, last) - std::min(lane, phase) +
           (last > lanes ? std::min(lane, last - lanes) : 0);
  };
  std::uint64_t at = part_begin(n, rank), left = part_begin(n, rank + 1) - at;
  std::uint64_t lane = 0;  // of position `at`, found by halving
  for (std::uint64_t above = lanes; above - lane > 1;) {
    const std::uint64_t middle = lane + (above - lane) / 2;
    (in_lanes_below(middle) <= at ? lane : above) = middle;
  }
  std::uint64_t skip = at - in_lanes_below(lane);
  std::vector<std::uint64_t> mine;
  mine.reserve(left);
  for (; left > 0; ++lane, skip = 0)
    for (std::uint64_t p = first + (lane + lanes - phase) % lanes + skip * lanes; p < end && left > 0;
         p += lanes, --left)
      mine.push_back(p);
  return mine;
}

}  // namespace facemae
