#include "trainer/insiders/training_membership.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/random/keys.h"
#include "data/store/people_key.h"
#include "evaluation/linkage/features.h"
#include "evaluation/statistics/membership.h"
#include "evaluation/statistics/rmia.h"
#include "trainer/apply/models.h"
#include "trainer/apply/stored_images.h"
#include "trainer/input/training_identities.h"
#include "trainer/insiders/kept_patches.h"
#include "trainer/insiders/reference_models.h"

namespace facemae {
namespace {

constexpr std::int64_t kPhotosAtOnce = 64;
constexpr const char* kRateName = "membership_tpr_training_people";

/// PeoplePhotos of the first people of a store.
struct PeoplePhotos {
  torch::Tensor pictures;
  std::vector<std::int64_t> person;
  std::int64_t people = 0;
};

PeoplePhotos photos_by_person(const Store& store, const TrainingMembershipConfig& config) {
  PeoplePhotos photos{.people = std::min(store.identities(), config.people)};
  std::vector<std::uint64_t> rows;
  for (std::int64_t label = 0; label < photos.people; ++label) {
    const auto all = store.rows_of(label);
    for (std::size_t i = 0; i < std::min(all.size(), static_cast<std::size_t>(config.photos)); ++i) {
      rows.push_back(all[i]);
      photos.person.push_back(label);
    }
  }
  photos.pictures = load_images(store, rows);
  return photos;
}

/// Members must have been trained on and outsiders must not.
void check_people(const Weights& weights, const Store& members, const Store& outsiders) {
  const auto seen = trained_on(weights.training_identities, members, people_key(members));
  if (!seen)
    spdlog::warn("cannot tell whether {} was trained on the people of {}: make sure of it", weights.origin,
                 members.folder().string());
  else if (*seen < members.identities())
    throw ConfigError(fmt::format(
        "measuring who {} was trained on: it was trained on {} of the {} people of {} only; give the store of its training",
        weights.origin, *seen, members.identities(), members.folder().string()));
  const auto wrong = trained_on(weights.training_identities, outsiders, people_key(outsiders));
  if (wrong.value_or(0) > 0)
    throw ConfigError(fmt::format(
        "measuring who {} was trained on: {} of the {} people of {} were, and cannot stand for people who were not",
        weights.origin, *wrong, outsiders.identities(), outsiders.folder().string()));
}

/// A model's scores of people.
std::vector<double> people_scores(FaceMae& model, const PeoplePhotos& photos, double mask_ratio,
                                  const TrainingMembershipConfig& config, const std::string& what) {
  Progress progress(what, static_cast<std::uint64_t>(photos.pictures.size(0)), "photos",
                    config.show_progress);
  const auto scores = reconstruction_scores(model, photos.pictures, mask_ratio, config.masks, config.seed,
                                            [&](std::size_t count) { progress.advance(count); });
  progress.finish();
  return scores_of_people(scores, photos.person, photos.people);
}

/// Relative scores of all, by the references that do not have the person.
std::vector<double> relative_scores(const ScoredPeople& people) {
  std::vector<double> relative;
  for (std::size_t p = 0; p < people.target.size(); ++p) {
    ReferencedScore score{.target = people.target[p]};
    for (std::size_t r = 0; r < people.references.size(); ++r)
      if (!people.in[r][p]) score.references.push_back(people.references[r][p]);
    relative.push_back(relative_score(score));
  }
  return relative;
}

void report_rates(Findings& findings, const std::vector<double>& members,
                  const std::vector<double>& outsiders, const std::string& attacker, std::uint64_t seed) {
  const MembershipRates rates = membership_rates(members, outsiders, seed);
  findings.add({measurements_of(rates, "A11", attacker), figures_of(rates, "A11", attacker, kRateName)});
  if (rates.at.empty())
    spdlog::info(
        "A11: {} people outside the training are too few for a rate at 5 % false positives, which needs {}",
        rates.nonmembers, nonmembers_needed(0.05));
}

}  // namespace

std::vector<double> reconstruction_scores(FaceMae& model, const torch::Tensor& photos, double mask_ratio,
                                          std::int64_t masks, std::uint64_t seed,
                                          const std::function<void(std::size_t)>& advance) {
  const torch::NoGradGuard no_gradients;
  std::vector<double> scores;
  for (std::int64_t at = 0; at < photos.size(0); at += kPhotosAtOnce) {
    const auto count = std::min(kPhotosAtOnce, photos.size(0) - at);
    const auto faces = as_floats(photos.narrow(0, at, count).to(model->mask_token.device()));
    const auto truth = model->patchify(faces);
    auto errors = torch::zeros({count}, faces.options());
    for (std::int64_t draw = 0; draw < masks; ++draw) {
      const Masked mask = drawn_masks(model, mask_ratio, seed, static_cast<std::uint64_t>(draw))(at, count);
      errors += (model->decode(model->encode(faces, mask), mask) - truth).square().mean({1, 2});
    }
    const auto logs = (errors / static_cast<double>(masks)).log().cpu().to(torch::kFloat64).contiguous();
    for (std::int64_t i = 0; i < count; ++i) scores.push_back(-logs[i].item<double>());
    advance(static_cast<std::size_t>(count));
  }
  return scores;
}

Findings membership_findings(const ScoredPeople& members, const ScoredPeople& outsiders, std::uint64_t seed) {
  Findings findings;
  report_rates(findings, members.target, outsiders.target, "reconstruction error", seed);
  if (members.references.empty()) return findings;
  const auto in = relative_scores(members), out = relative_scores(outsiders);
  std::vector<std::int64_t> nobody(in.size(), -1), own(out.size());
  for (std::size_t p = 0; p < own.size(); ++p) own[p] = static_cast<std::int64_t>(p);
  report_rates(findings, rmia_scores(in, nobody, out), rmia_scores(out, own, out),
               fmt::format("reconstruction error relative to {} references", members.references.size()),
               seed);
  return findings;
}

Findings training_membership(World& world, const TrainingMembershipConfig& config) {
  if (config.references < 0 || config.references > 8 || config.references % 2 != 0)
    throw ConfigError(fmt::format(
        "{} reference models: an even number up to 8, or 0; each two divide the people between them",
        config.references));
  const Weights weights = read_weights(config.from);
  const auto members = Store::open(config.members), outsiders = Store::open(config.outsiders);
  check_people(weights, *members, *outsiders);
  const double mask_ratio = mask_ratio_for(weights, config.mask_ratio);
  std::vector<Path> runs;
  if (config.references > 0)
    runs = train_references(world, weights, *members,
                            {.folder = config.folder,
                             .references = config.references,
                             .steps = config.reference_steps,
                             .seed = config.seed});
  const PeoplePhotos inside = photos_by_person(*members, config),
                     outside = photos_by_person(*outsiders, config);
  ScoredPeople in, out;
  const auto score = [&](const Weights& of, const std::string& name, std::vector<double>& of_in,
                         std::vector<double>& of_out) {
    FaceMae model = face_mae_from(of);
    model->to(world.device());
    of_in = people_scores(model, inside, mask_ratio, config, name + ": members");
    of_out = people_scores(model, outside, mask_ratio, config, name + ": others");
  };
  score(weights, "FaceMAE", in.target, out.target);
  in.in = halves_of_people(members->identities(), config.references, config.seed);
  out.in = halves_of_people(outsiders->identities(), config.references, config.seed);
  in.references.resize(runs.size());
  out.references.resize(runs.size());
  for (std::size_t r = 0; r < runs.size(); ++r)
    score(read_weights(runs[r]), fmt::format("reference {}", r + 1), in.references[r], out.references[r]);
  return membership_findings(in, out, config.seed);
}

}  // namespace facemae
