#include "data/release/release_plan.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

/// Equal counts mean that an identity with fewer images is left out, and so is an image without identity.
std::vector<ReleaseCandidates> rows_to_take(const Store& source, const ReleaseChoice& choice) {
  const auto without_copies = [&](std::int64_t label, std::span<const std::uint64_t> rows) {
    ReleaseCandidates own{label, {}};
    std::set_difference(rows.begin(), rows.end(), choice.copies.begin(), choice.copies.end(),
                        std::back_inserter(own.rows));
    return own;
  };
  const std::uint64_t fewest = std::max<std::uint64_t>(1, choice.images_per_identity);
  std::vector<ReleaseCandidates> all;
  for (std::int64_t label = 0; label < source.identities(); ++label) {
    ReleaseCandidates own = without_copies(label, source.rows_of(label));
    if (own.rows.size() >= fewest) all.push_back(std::move(own));
  }
  if (choice.images_per_identity != 0) return all;
  std::vector<std::uint64_t> unlabelled;
  for (std::uint64_t row = 0; row < source.size(); ++row)
    if (source.label(row) < 0) unlabelled.push_back(row);
  ReleaseCandidates rest = without_copies(-1, unlabelled);
  if (!rest.rows.empty()) all.push_back(std::move(rest));
  return all;
}

void check_release(const Store& source, const ReleaseChoice& choice) {
  if (!rows_to_take(source, choice).empty()) return;
  const std::uint64_t k = choice.images_per_identity;
  throw ConfigError(
      k == 0 ? fmt::format("planning a release of {}: the store has no images", source.folder().string())
             : fmt::format(
                   "planning a release of {}: no identity has {} images; ask for fewer images per identity",
                   source.folder().string(), k));
}

ReleasePlan plan_release(const Store& source, const ReleaseSecret& secret, const ReleaseChoice& choice,
                         std::uint64_t shard_images) {
  if (shard_images < 1) throw ConfigError("planning a release: a shard must hold at least one image");
  check_release(source, choice);
  const std::uint64_t k = choice.images_per_identity;
  const SecretKey choosing = derive(secret.key, "images of an identity");
  std::vector<std::uint64_t> rows;
  std::vector<std::int64_t> kept;
  for (const ReleaseCandidates& identity : rows_to_take(source, choice)) {
    const auto& own = identity.rows;
    if (identity.label >= 0) kept.push_back(identity.label);
    if (k == 0) {
      rows.insert(rows.end(), own.begin(), own.end());
      continue;
    }
    const auto place =
        secret_order(own.size(), derive(choosing, "", bytes_of(std::span(&identity.label, 1))));
    for (std::size_t i = 0; i < k; ++i) rows.push_back(own[place[i]]);
  }
  std::vector<std::int64_t> renumbered(static_cast<std::size_t>(source.identities()), -1);
  const auto number = secret_order(kept.size(), derive(secret.key, "labels"));
  for (std::size_t i = 0; i < kept.size(); ++i)
    renumbered[static_cast<std::size_t>(kept[i])] = static_cast<std::int64_t>(number[i]);
  const auto order = secret_order(rows.size(), derive(secret.key, "order"));
  ReleasePlan plan{.source_rows = std::vector<std::uint64_t>(rows.size()),
                   .labels = std::vector<std::int64_t>(rows.size()),
                   .identities = static_cast<std::int64_t>(kept.size()),
                   .shard_images = shard_images};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<std::size_t>(order[i]);
    const std::int64_t label = source.label(rows[i]);
    plan.source_rows[at] = rows[i];
    plan.labels[at] = label < 0 ? -1 : renumbered[static_cast<std::size_t>(label)];
  }
  return plan;
}

}  // namespace facemae
