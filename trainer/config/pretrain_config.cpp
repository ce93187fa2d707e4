// The configuration of pretraining: what its rows are made of, and which settings of its losses fit together.
#include <algorithm>
#include <charconv>

#include "core/kinds.h"
#include "core/log.h"
#include "core/text.h"
#include "model/facemae/linkage.h"
#include "model/facemae/relation.h"
#include "trainer/config/run_config.h"
#include "trainer/config/validate_run.h"

namespace facemae {
namespace {

constexpr double kMostOfAWeight = 1e9;

/// A number from 0 on, or auto:R with R above 0.
bool is_weight(const std::string& text) {
  const bool automatic = text.starts_with("auto:");
  const std::string number = automatic ? text.substr(5) : text;
  double weight = 0;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), weight);
  return code == std::errc() && end == number.data() + number.size() && weight <= kMostOfAWeight &&
         (automatic ? weight > 0 : weight >= 0);
}

/// K of "people:K".
std::optional<std::uint64_t> people_of_blend(const std::string& blend) {
  constexpr std::string_view kind = "people:";
  if (!blend.starts_with(kind)) return {};
  std::uint64_t people = 0;
  const auto [end, code] = std::from_chars(blend.data() + kind.size(), blend.data() + blend.size(), people);
  if (code != std::errc() || end != blend.data() + blend.size() || people == 0) return {};
  return people;
}

void validate_blend(Options& o, const PretrainConfig& c) {
  if (c.blend.empty())
    return o.check(!c.blend_min_people, "--blend-min-people says how --blend people:K works: add it");
  o.check(people_of_blend(c.blend).has_value(),
          "--blend is people:K, K people in each picture, not " + c.blend +
              (c.blend == "photos" ? ": the mean of one person's photos shows that person (docs/METHOD.md)"
                                   : ""));
  if (!c.code) return;
  o.check(people_of_blend(c.blend).value_or(1) == 1,
          "--code is trained on the photos of one person at a time: leave out --blend");
  o.check(!c.blend_min_people, "--code shows no patches of the photos: leave out --blend-min-people");
}

void validate_sets(Options& o, const PretrainConfig& c) {
  validate_blend(o, c);
  const auto sets = c.sets();
  if (!sets)
    return o.check(!c.blend_images && c.relation_target != "blend",
                   "--blend-images and --relation-target blend say how --blend people:K works: add it");
  const std::string which = c.code ? "--code" : "--blend";
  if (sets->photos == 0 || sets->photos % sets->people != 0)
    return o.check(
        false,
        fmt::format(
            "--blend-images {} is not the same number of photos of each of {} people: use a multiple of {}",
            sets->photos, sets->people, sets->people));
  o.check(
      sets->min_people <= sets->people,
      fmt::format("--blend-min-people {} is more than the {} people of a picture: no patch would be shown",
                  sets->min_people, sets->people));
  const auto& order = c.common.order;
  o.check(order.kind == "auto" || order.kind == "balanced",
          which + " takes its photos in --order balanced: leave out --order " + order.kind);
  o.check(
      order.images_per_identity == OrderConfig().images_per_identity ||
          order.images_per_identity == sets->photos_of_each(),
      fmt::format("{} has {} photos of each person in a picture: leave out --order-images-per-identity {}",
                  which, sets->photos_of_each(), order.images_per_identity));
  const auto whole = run_config_of(c).together * static_cast<std::uint64_t>(std::max(1, c.common.accumulate));
  o.check(
      c.common.batch % whole == 0,
      fmt::format(
          "--batch counts photos: with {}pictures of {} photos and --accumulate {} it must be a multiple of {}, not {}",
          c.code ? "pairs of " : "", sets->photos, c.common.accumulate, whole, c.common.batch));
  o.check(
      c.reconstruction != Reconstruction::Hidden && !c.normalise_patches,
      which +
          " has no hidden patches to rebuild: use --reconstruction all (compared after pooling by 4 x 4) or none, without --normalise-patches");
}

void validate_linkage(Options& o, const PretrainConfig& c) {
  o.check(!c.linkage_weight.empty() || c.linkage.empty(), "--linkage needs --linkage-weight");
  if (c.linkage_weight.empty()) return;
  o.check(is_weight(c.linkage_weight),
          "--linkage-weight is a number from 0 to 1e9, or auto:R, R above 0, not " + c.linkage_weight);
  for (const auto& name : split(c.linkage, ',')) {
    if (name.empty() && c.linkage.empty()) continue;
    try {
      row_of(linkage_kinds(), name, "--linkage");
    } catch (const ConfigError& error) {
      o.check(false, error.what());
    }
  }
}

}  // namespace

std::optional<TrainingSets> PretrainConfig::sets() const {
  if (blend.empty() && !code) return {};
  TrainingSets sets;
  if (!blend.empty()) sets.people = people_of_blend(blend).value_or(1);
  sets.photos = blend_images.value_or(sets.photos);
  sets.min_people = blend_min_people.value_or(sets.min_people);
  return sets;
}

RunConfig run_config_of(const PretrainConfig& config) {
  RunConfig run = config.common;
  if (const auto sets = config.sets()) {
    run.order.kind = "balanced";
    run.order.images_per_identity = sets->photos_of_each();
    // With a code two sets, each of which has the nuisance of the other.
    run.together = std::max<std::uint64_t>(1, sets->photos) * (config.code ? 2 : 1);
  }
  return run;
}

void validate(Options& o, const PretrainConfig& c) {
  validate_sets(o, c);
  const RunConfig common = run_config_of(c);
  validate(o, common);
  validate_linkage(o, c);
  const bool automatic = c.relation_weight.starts_with("auto:");
  o.check(is_weight(c.relation_weight),
          "--relation-weight is a number from 0 to 1e9, or auto:R, R above 0, not " + c.relation_weight);
  const Relation relation = relation_from(c.relation);
  o.check(!automatic || c.reconstruction != Reconstruction::None,
          "--relation-weight auto needs a pixel loss to compare with");
  o.check(c.reconstruction != Reconstruction::None || relation != Relation::None,
          "nothing to learn: --reconstruction and --relation are none");
  if (const RelationKind* kind = relation.kind(); kind != nullptr && common.batch > 0) {
    const auto micro_batches =
        c.relation_batch == "global" ? 1 : static_cast<std::uint64_t>(std::max(1, c.common.accumulate));
    const auto sets = c.sets();
    const std::uint64_t related =
        common.batch / micro_batches / (sets ? std::max<std::uint64_t>(1, sets->photos) : 1);
    o.check(related >= static_cast<std::uint64_t>(kind->least_images),
            fmt::format("--relation {} needs at least {} {} in a (micro-)batch, not {}: {}", kind->name,
                        kind->least_images, common.together > 1 ? "blended pictures" : "images", related,
                        kind->why));
  }
  o.check(c.relation_batch == "micro" || !automatic,
          "--relation-weight auto works with --relation-batch micro only");
}

}  // namespace facemae
