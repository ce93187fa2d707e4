#include "data/release/release_plan.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

std::vector<ReleaseCandidates> rows_to_take(const Store& source, const ReleaseChoice& choice) {
  const auto without_copies = [&](std::int64_t label, std::span<const std::uint64_t> rows) {
    ReleaseCandidates own{label, {}};
    std::set_difference(rows.begin(), rows.end(), choice.copies.begin(), choice.copies.end(),
                        std::back_inserter(own.rows));
    return own;
  };
  const std::uint64_t fewest =
      choice.blend ? choice.blend->photos_each() : std::max<std::uint64_t>(1, choice.images_per_identity);
  std::vector<ReleaseCandidates> all;
  for (std::int64_t label = 0; label < source.identities(); ++label) {
    ReleaseCandidates own = without_copies(label, source.rows_of(label));
    if (own.rows.size() >= fewest) all.push_back(std::move(own));
  }
  if (choice.images_per_identity != 0 || choice.blend) return all;
  std::vector<std::uint64_t> unlabelled;
  for (std::uint64_t row = 0; row < source.size(); ++row)
    if (source.label(row) < 0) unlabelled.push_back(row);
  ReleaseCandidates rest = without_copies(-1, unlabelled);
  if (!rest.rows.empty()) all.push_back(std::move(rest));
  return all;
}

void check_release(const Store& source, const ReleaseChoice& choice) {
  const std::size_t takers = rows_to_take(source, choice).size();
  if (choice.blend && takers < choice.blend->people)
    throw ConfigError(fmt::format(
        "planning a release of {}: {} of its {} people have {} photos each, and a class takes {} people; "
        "ask for fewer --blend-images or fewer people",
        source.folder().string(), takers, source.identities(), choice.blend->photos_each(),
        choice.blend->people));
  if (takers > 0) return;
  const std::uint64_t k = choice.images_per_identity;
  throw ConfigError(
      k == 0 ? fmt::format("planning a release of {}: the store has no images", source.folder().string())
             : fmt::format(
                   "planning a release of {}: no identity has {} images; ask for fewer images per identity",
                   source.folder().string(), k));
}

namespace {

/// Puts the pictures of classes that stand in the order of `of_class` into a secret order, under secret labels.
ReleasePlan shuffled(std::span<const std::uint64_t> rows, std::span<const std::int64_t> of_class,
                     std::size_t classes, const SecretKey& key, std::uint64_t photos,
                     std::uint64_t shard_images) {
  const auto number = secret_order(classes, derive(key, "labels"));
  const auto order = secret_order(of_class.size(), derive(key, "order"));
  ReleasePlan plan{.source_rows = std::vector<std::uint64_t>(rows.size()),
                   .labels = std::vector<std::int64_t>(of_class.size()),
                   .identities = static_cast<std::int64_t>(classes),
                   .shard_images = shard_images,
                   .photos = photos};
  for (std::size_t i = 0; i < of_class.size(); ++i) {
    const std::int64_t its = of_class[i];
    plan.labels[order[i]] = its < 0 ? -1 : static_cast<std::int64_t>(number[static_cast<std::size_t>(its)]);
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(i * photos), photos,
                plan.source_rows.begin() + static_cast<std::ptrdiff_t>(order[i] * photos));
  }
  return plan;
}

ReleasePlan plan_blend(const ReleaseSecret& secret, const ReleaseChoice& choice, std::uint64_t shard_images) {
  const std::uint64_t each = choice.blend->photos_each();
  std::uint64_t originals = 0;
  for (const BlendGroup& group : choice.groups)
    for (const auto& photos : group) originals += photos.size();
  const std::uint64_t pictures =
      choice.images_per_identity > 0
          ? choice.images_per_identity
          : std::max<std::uint64_t>(1, originals / std::max<std::size_t>(1, choice.groups.size()));
  const SecretKey dealing = derive(secret.key, "photos of a blend");
  std::vector<std::uint64_t> rows;
  std::vector<std::int64_t> of_class;
  for (std::size_t group = 0; group < choice.groups.size(); ++group) {
    std::vector<std::vector<std::uint64_t>> dealt;
    for (const auto& photos : choice.groups[group])
      dealt.push_back(
          deal_photos(photos, each, pictures, derive(dealing, "", bytes_of(std::span(photos).first(1)))));
    for (std::uint64_t picture = 0; picture < pictures; ++picture) {
      of_class.push_back(static_cast<std::int64_t>(group));
      for (const auto& own : dealt)
        rows.insert(rows.end(), own.begin() + static_cast<std::ptrdiff_t>(picture * each),
                    own.begin() + static_cast<std::ptrdiff_t>((picture + 1) * each));
    }
  }
  return shuffled(rows, of_class, choice.groups.size(), secret.key, choice.blend->images, shard_images);
}

}  // namespace

std::map<std::int64_t, std::vector<std::uint64_t>> rows_of_classes(const ReleasePlan& plan) {
  std::map<std::int64_t, std::set<std::uint64_t>> rows;
  for (std::size_t i = 0; i < plan.source_rows.size(); ++i)
    rows[plan.labels[i / plan.photos]].insert(plan.source_rows[i]);
  std::map<std::int64_t, std::vector<std::uint64_t>> of_classes;
  for (const auto& [label, own] : rows) of_classes[label] = {own.begin(), own.end()};
  return of_classes;
}

ReleasePlan plan_release(const Store& source, const ReleaseSecret& secret, const ReleaseChoice& choice,
                         std::uint64_t shard_images) {
  if (shard_images < 1) throw ConfigError("planning a release: a shard must hold at least one image");
  check_release(source, choice);
  if (choice.blend) return plan_blend(secret, choice, shard_images);
  const std::uint64_t k = choice.images_per_identity;
  const SecretKey choosing = derive(secret.key, "images of an identity");
  std::vector<std::uint64_t> rows;
  std::vector<std::int64_t> of_class;
  std::int64_t kept = 0;
  for (const ReleaseCandidates& identity : rows_to_take(source, choice)) {
    const auto& own = identity.rows;
    if (k == 0) {
      rows.insert(rows.end(), own.begin(), own.end());
    } else {
      const auto place =
          secret_order(own.size(), derive(choosing, "", bytes_of(std::span(&identity.label, 1))));
      for (std::size_t i = 0; i < k; ++i) rows.push_back(own[place[i]]);
    }
    of_class.resize(rows.size(), identity.label < 0 ? -1 : kept++);
  }
  return shuffled(rows, of_class, static_cast<std::size_t>(kept), secret.key, 1, shard_images);
}

}  // namespace facemae
