#pragma once
// The order of a run: which row an ordinal means, which ordinals make a micro-batch, and whose they are. All
// pure.
#include <cstdint>
#include <vector>

#include "core/permutation.h"

namespace facemae {

/// `uniform` order: ordinal p is in epoch p / N at q = p % N, and means row Feistel_epoch(q). Every row
/// exactly once per epoch, O(1) memory. Global batches run across epochs: no padding, nothing dropped.
class Order {
 public:
  Order(std::uint64_t rows, std::uint64_t seed);
  std::uint64_t rows() const noexcept { return rows_; }
  std::uint64_t row(std::uint64_t ordinal) const;

 private:
  std::uint64_t rows_, seed_;
};

/// The global batch of step t is ordinals [tG, (t+1)G). Micro-batch j of M is [jG/M, (j+1)G/M) of it, THEN
/// divided over W ranks in contiguous parts: rank r gets [rn/W, (r+1)n/W) of its n. The gathered rows are in
/// the global order.
struct BatchPlan {
  std::uint64_t global_batch = 1;
  int micro_batches = 1;
  int world = 1;

  std::uint64_t micro_begin(int micro) const {
    return global_batch * static_cast<std::uint64_t>(micro) / static_cast<std::uint64_t>(micro_batches);
  }
  std::int64_t micro_rows(int micro) const;                 ///< n of one micro-batch over all ranks
  std::vector<std::int64_t> rows_of_rank(int micro) const;  ///< per rank, sums to micro_rows
  /// Ordinals of one rank's part of a micro-batch of a step.
  std::vector<std::uint64_t> ordinals(std::uint64_t step, int micro, int rank) const;
};

}  // namespace facemae
