#pragma once
// Defines the order of a run: which row an ordinal refers to, which ordinals make up a micro-batch, and which
// rank has them. All pure.
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "data/order/balanced_order.h"
#include "data/order/blocks_order.h"

namespace facemae {

using AnyOrder = std::variant<class UniformOrder, BlocksOrder, BalancedOrder>;
struct OrderConfig;

/// A row of the table of orders, which is in order.cpp.
struct OrderKind {
  const char* name;
  const char* help;
  /// Null for "auto", which settled() replaces.
  AnyOrder (*make)(const OrderConfig& config, std::uint64_t rows, std::uint64_t seed,
                   IdentityRows identities);
};
std::span<const OrderKind> order_kinds();

/// What is fixed at the start of a run.
struct OrderConfig {
  std::string kind = "auto";              ///< a name of order_kinds()
  std::uint64_t lanes = 0;                ///< of blocks; 0: suited to the micro-batch
  std::uint64_t block = 256;              ///< of blocks: rows that lie and are read together
  std::uint64_t images_per_identity = 4;  ///< of balanced

  static constexpr std::uint64_t kBlocksFrom = 16'000'000;  ///< rows: auto means blocks from this many on
  static constexpr std::uint64_t kLanes = 1024;             ///< about this many when they are chosen
  /// With `auto` and 0 lanes replaced by what they mean for a store of `rows` rows and micro-batches of
  /// `micro_rows`: about kLanes lanes, a number that divides the micro-batch or is divided by it.
  OrderConfig settled(std::uint64_t rows, std::uint64_t micro_rows) const;
};

/// `uniform` order: ordinal p is in epoch p / N at q = p % N, and refers to row Feistel_epoch(q).
class UniformOrder {
 public:
  UniformOrder(std::uint64_t rows, std::uint64_t seed) : rows_(rows), seed_(seed) {}
  std::uint64_t row(std::uint64_t ordinal) const {
    return Permutation(rows_, key_of(seed_, Purpose::Order, ordinal / rows_))(ordinal % rows_);
  }

 private:
  std::uint64_t rows_, seed_;
};

/// Which row an ordinal refers to. Global batches run across epochs of N ordinals: no padding, nothing
/// dropped; `uniform` and `blocks` give every row exactly once per epoch, in O(1) memory. A value; const
/// calls are safe from many threads.
class Order {
 public:
  Order(std::uint64_t rows, std::uint64_t seed);  ///< uniform
  /// A configuration from settled(); only balanced needs `identities`. Throws ConfigError.
  Order(const OrderConfig& config, std::uint64_t rows, std::uint64_t seed, IdentityRows identities = {});
  std::uint64_t rows() const noexcept { return rows_; }  ///< N
  std::uint64_t row(std::uint64_t ordinal) const {
    return std::visit([&](const auto& order) { return order.row(ordinal); }, order_);
  }
  std::uint64_t lanes() const noexcept;  ///< what BatchPlan::lanes must be
  std::uint64_t block() const noexcept;  ///< rows [k block, (k+1) block) are read together; 1: singly

 private:
  std::uint64_t rows_;
  AnyOrder order_;
};

/// The global batch of step t is ordinals [tG, (t+1)G). Micro-batch j of M is [jG/M, (j+1)G/M) of it, THEN
/// divided over W ranks: its n ordinals are sorted by lane (p mod L), ordinals of a lane ascending, and rank
/// r gets the contiguous part [rn/W, (r+1)n/W). The gathered rows are in the same sequence for any world,
/// and parts differ by one row at most. With the L of the `blocks` order:
/// - n divides L: a lane is always the same rank's, so that each block is read by one rank;
/// - L divides n: the same when W divides L; otherwise W - 1 lanes at most are shared by two ranks;
/// - else, or when M does not divide G, the parts' borders wander and lanes at the borders are shared.
/// With sets of U ordinals (L = 1, U divides G) all of these borders lie between whole sets: read G / U for G and
/// sets for rows above.
struct BatchPlan {
  std::uint64_t global_batch = 1;
  int micro_batches = 1;
  int world = 1;
  std::uint64_t lanes = 1;  ///< L; 1 keeps the sequence of the ordinals
  /// S of --exact, where parts are whole slots: slot s is rows [sn/S, (s+1)n/S) and rank r has slots
  /// [rS/W, (r+1)S/W). 0: parts are divided as said above.
  int slots = 0;
  std::uint64_t together = 1;  ///< U: ordinals kU..(k+1)U-1 are a set, which one part has whole

  std::uint64_t micro_begin(int micro) const {
    return global_batch / together * static_cast<std::uint64_t>(micro) /
           static_cast<std::uint64_t>(micro_batches) * together;
  }
  std::int64_t micro_rows(int micro) const;                 ///< n of one micro-batch over all ranks
  std::vector<std::int64_t> rows_of_rank(int micro) const;  ///< per rank, sums to micro_rows
  std::vector<std::int64_t> rows_of_slots(int micro, int rank) const;  ///< of each slot of a rank
  /// Ordinals of one rank's part of a micro-batch of a step.
  std::vector<std::uint64_t> ordinals(std::uint64_t step, int micro, int rank) const;

 private:
  /// First of n rows that belongs to rank r; n for r = W.
  std::uint64_t part_begin(std::uint64_t n, int rank) const;
};

}  // namespace facemae
