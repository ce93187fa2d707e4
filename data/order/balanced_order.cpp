#include "data/order/balanced_order.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"

namespace facemae {

BalancedOrder::BalancedOrder(IdentityRows identities, std::uint64_t seed, std::uint64_t images_per_identity)
    : identities_(std::move(identities)),
      seed_(key_of(seed, Purpose::Balance)),
      images_(images_per_identity) {
  if (images_ == 0) throw ConfigError("balanced order: there must be at least 1 image per identity");
  for (std::int64_t label = 0; label < identities_.count; ++label)
    if (!identities_.rows_of(label).empty()) labels_.push_back(label);
  if (labels_.empty())
    throw DataError("balanced order: the store has no labelled images; use --order uniform");
  if (static_cast<std::int64_t>(labels_.size()) == identities_.count) labels_ = {};
}

std::uint64_t BalancedOrder::row(std::uint64_t ordinal) const {
  const std::uint64_t group = ordinal / images_, nth = ordinal % images_;
  const auto count = labels_.empty() ? static_cast<std::uint64_t>(identities_.count) : labels_.size();
  const std::uint64_t round = group / count;
  const std::uint64_t who = Permutation(count, key_of(seed_, Purpose::Balance, 0, round))(group % count);
  const std::int64_t label = labels_.empty() ? static_cast<std::int64_t>(who) : labels_[who];

  const auto rows = identities_.rows_of(label);
  const std::uint64_t visits = std::max<std::uint64_t>(1, rows.size() / images_);  // until all have been used
  const std::uint64_t image = rows.size() < images_ ? nth % rows.size() : round % visits * images_ + nth;
  return rows[Permutation(rows.size(), key_of(seed_, Purpose::Balance, who + 1, round / visits))(image)];
}

}  // namespace facemae
