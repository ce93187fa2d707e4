#include "data/order.h"

#include "core/keys.h"

namespace facemae {

Order::Order(std::uint64_t rows, std::uint64_t seed) : rows_(rows), seed_(seed) {}

std::uint64_t Order::row(std::uint64_t ordinal) const {
  const Permutation epoch(rows_, key_of(seed_, Purpose::Order, ordinal / rows_));
  return epoch(ordinal % rows_);
}

std::int64_t BatchPlan::micro_rows(int micro) const {
  return static_cast<std::int64_t>(micro_begin(micro + 1) - micro_begin(micro));
}

std::vector<std::int64_t> BatchPlan::rows_of_rank(int micro) const {
  const std::int64_t n = micro_rows(micro);
  std::vector<std::int64_t> rows;
  for (std::int64_t r = 0; r < world; ++r) rows.push_back((r + 1) * n / world - r * n / world);
  return rows;
}

std::vector<std::uint64_t> BatchPlan::ordinals(std::uint64_t step, int micro, int rank) const {
  const auto n = static_cast<std::uint64_t>(micro_rows(micro));
  const auto r = static_cast<std::uint64_t>(rank), w = static_cast<std::uint64_t>(world);
  const std::uint64_t first = step * global_batch + micro_begin(micro);
  std::vector<std::uint64_t> mine;
  for (std::uint64_t i = r * n / w; i < (r + 1) * n / w; ++i) mine.push_back(first + i);
  return mine;
}

}  // namespace facemae
