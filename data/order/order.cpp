#include "data/order/order.h"

#include <utility>

#include "core/error.h"

namespace facemae {
namespace {

/// Near OrderConfig::kLanes, and dividing the micro-batch or divided by it: so lanes stay with their ranks.
std::uint64_t lanes_for(std::uint64_t micro_rows) {
  if (micro_rows <= OrderConfig::kLanes) return OrderConfig::kLanes / micro_rows * micro_rows;
  std::uint64_t lanes = OrderConfig::kLanes;
  while (micro_rows % lanes != 0) ++lanes;
  return lanes;
}

}  // namespace

OrderConfig OrderConfig::settled(std::uint64_t rows, std::uint64_t micro_rows) const {
  OrderConfig config = *this;
  if (config.kind == "auto") config.kind = rows < kBlocksFrom ? "uniform" : "blocks";
  if (config.lanes == 0) config.lanes = lanes_for(micro_rows);
  return config;
}

Order::Order(std::uint64_t rows, std::uint64_t seed) : rows_(rows), order_(UniformOrder(rows, seed)) {}

Order::Order(const OrderConfig& config, std::uint64_t rows, std::uint64_t seed, IdentityRows identities)
    : Order(rows, seed) {
  if (config.kind == "blocks") {
    order_ = BlocksOrder(rows, seed, config.lanes, config.block);
  } else if (config.kind == "balanced") {
    order_ = BalancedOrder(std::move(identities), seed, config.images_per_identity);
  } else if (config.kind != "uniform") {
    throw ConfigError("there is no order \"" + config.kind + "\"; orders are uniform, blocks and balanced");
  }
}

std::uint64_t Order::lanes() const noexcept {
  const auto* blocks = std::get_if<BlocksOrder>(&order_);
  return blocks != nullptr ? blocks->lanes() : 1;
}

std::uint64_t Order::block() const noexcept {
  const auto* blocks = std::get_if<BlocksOrder>(&order_);
  return blocks != nullptr ? blocks->block() : 1;
}

}  // namespace facemae
