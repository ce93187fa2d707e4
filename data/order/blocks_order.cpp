#include "data/order/blocks_order.h"

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"

namespace facemae {
namespace {

/// What an epoch's key is used for.
constexpr std::uint64_t kBlocks = 1, kWindows = 2, kPlaceOfRest = 3, kRest = 4;

}  // namespace

BlocksOrder::BlocksOrder(std::uint64_t rows, std::uint64_t seed, std::uint64_t lanes, std::uint64_t block)
    : rows_(rows), seed_(seed), lanes_(lanes), block_(block) {
  if (lanes == 0 || block == 0)
    throw ConfigError(fmt::format("order of blocks: {} lanes and blocks of {} rows: both must be at least 1",
                                  lanes, block));
  blocks_ = rows / block;
  lane_rows_ = blocks_ / lanes * block;
  cycles_ = rows / lanes;
  rest_cycles_ = cycles_ - lane_rows_;
}

std::uint64_t BlocksOrder::row(std::uint64_t ordinal) const noexcept {
  const std::uint64_t epoch = ordinal / rows_, q = ordinal % rows_;
  const std::uint64_t lane = q % lanes_, cycle = q / lanes_;
  const std::uint64_t rest_begin =
      Draws(key_of(seed_, Purpose::Order, epoch, kPlaceOfRest)).below(lane_rows_ + 1);
  if (cycle == cycles_) return row_of_rest(epoch, rest_cycles_ * lanes_ + lane);
  if (cycle >= rest_begin && cycle < rest_begin + rest_cycles_)
    return row_of_rest(epoch, (cycle - rest_begin) * lanes_ + lane);

  const std::uint64_t t = cycle < rest_begin ? cycle : cycle - rest_cycles_;
  const std::uint64_t window_rows = kWindowBlocks * block_, window = t / window_rows;
  const Permutation shuffle(
      std::min(window_rows, lane_rows_ - window * window_rows),
      key_of(key_of(seed_, Purpose::Order, epoch, kWindows), Purpose::Order, lane, window));
  const std::uint64_t at = shuffle(t % window_rows);
  const Permutation blocks(blocks_, key_of(seed_, Purpose::Order, epoch, kBlocks));
  const std::uint64_t turn = window * kWindowBlocks + at / block_;
  return blocks(lane + lanes_ * turn) * block_ + at % block_;
}

std::uint64_t BlocksOrder::row_of_rest(std::uint64_t epoch, std::uint64_t index) const noexcept {
  const std::uint64_t at = Permutation(rest_rows(), key_of(seed_, Purpose::Order, epoch, kRest))(index);
  const std::uint64_t in_lanes = lane_rows_ / block_ * lanes_;             // blocks
  if (at >= (blocks_ - in_lanes) * block_) return in_lanes * block_ + at;  // beyond the last whole block
  const Permutation blocks(blocks_, key_of(seed_, Purpose::Order, epoch, kBlocks));
  return blocks(in_lanes + at / block_) * block_ + at % block_;
}

}  // namespace facemae
