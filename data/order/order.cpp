#include "data/order/order.h"

#include <utility>

#include "core/error.h"
#include "core/kinds.h"

namespace facemae {
namespace {

/// Near OrderConfig::kLanes, and dividing the micro-batch or divided by it: so lanes stay with their ranks.
std::uint64_t lanes_for(std::uint64_t micro_rows) {
  if (micro_rows <= OrderConfig::kLanes) return OrderConfig::kLanes / micro_rows * micro_rows;
  std::uint64_t lanes = OrderConfig::kLanes;
  while (micro_rows % lanes != 0) ++lanes;
  return lanes;
}

// NOLINTBEGIN(performance-unnecessary-value-param): rows of a table have one type.
AnyOrder uniform(const OrderConfig& /*config*/, std::uint64_t rows, std::uint64_t seed,
                 IdentityRows /*identities*/) {
  return UniformOrder(rows, seed);
}
AnyOrder blocks(const OrderConfig& config, std::uint64_t rows, std::uint64_t seed,
                IdentityRows /*identities*/) {
  return BlocksOrder(rows, seed, config.lanes, config.block);
}
// NOLINTEND(performance-unnecessary-value-param)
AnyOrder balanced(const OrderConfig& config, std::uint64_t /*rows*/, std::uint64_t seed,
                  IdentityRows identities) {
  return BalancedOrder(std::move(identities), seed, config.images_per_identity);
}

constexpr OrderKind kOrders[] = {
    {"auto", "use blocks from 16 million images on, else uniform", nullptr},
    {"uniform", "shuffle all images, read each on its own", uniform},
    {"blocks", "shuffle large reads, for large stores on shared disks", blocks},
    {"balanced", "keep images of an identity together, draw identities equally often", balanced},
};

}  // namespace

std::span<const OrderKind> order_kinds() { return kOrders; }

OrderConfig OrderConfig::settled(std::uint64_t rows, std::uint64_t micro_rows) const {
  OrderConfig config = *this;
  if (config.kind == "auto") config.kind = rows < kBlocksFrom ? "uniform" : "blocks";
  if (config.lanes == 0) config.lanes = lanes_for(micro_rows);
  return config;
}

Order::Order(std::uint64_t rows, std::uint64_t seed) : rows_(rows), order_(UniformOrder(rows, seed)) {}

Order::Order(const OrderConfig& config, std::uint64_t rows, std::uint64_t seed, IdentityRows identities)
    : Order(rows, seed) {
  const OrderKind& kind = row_of(kOrders, config.kind, "choosing the order of images");
  if (kind.make == nullptr)
    throw Error("the order \"auto\" must be replaced by what it means: OrderConfig::settled");
  order_ = kind.make(config, rows, seed, std::move(identities));
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
