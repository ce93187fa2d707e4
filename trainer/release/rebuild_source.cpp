#include "trainer/release/rebuild_source.h"

#include "core/error.h"
#include "core/log.h"
#include "data/store/people_key.h"
#include "trainer/apply/models.h"
#include "trainer/apply/plausible.h"
#include "trainer/input/training_identities.h"
#include "trainer/rebuild/code_release.h"

namespace facemae {
namespace {

/// Releases people whose faces trained the model: the paper's setting is unseen people.
void warn_of_training_identities(const Store& store, const Weights& weights) {
  const auto both = trained_on(weights.training_identities, store, people_key(store));
  if (!both) {
    spdlog::warn(
        "cannot tell whether {} was trained on people of {} (it was not trained on views of the same packed store, or does not say): make sure that the release shows other people",
        weights.origin, store.folder().string());
  } else if (*both > 0) {
    spdlog::warn(
        "{} of {} identities of the release were in the model's training set: their rebuilt faces may be closer to the real ones. "
        "Use identities that the model has not seen (`facemae store split`)",
        *both, store.identities());
  }
}

/// A model with a code makes pictures of codes alone, any other cannot.
void open_code(RebuildSource& source, const ReconstructConfig& config) {
  if (source.model->config.code == 0) {
    if (!config.code_noise.empty() || !config.nuisance.empty())
      throw ConfigError(
          source.weights.origin +
          " was trained without a code: leave out --code-noise and --nuisance, or use a model of `facemae pretrain --code W`");
    return;
  }
  if (config.code_noise.empty() || config.nuisance.empty())
    throw ConfigError(
        source.weights.origin +
        " was trained with --code, and makes a picture of the mean code of a person's photos and a little of somebody else's photo: give --code-noise mu:X, and --nuisance STORE of people who may be shown (of the training, or synthetic)");
  source.mu = mu_of_noise(config.code_noise);
  source.nuisance = Store::open(Path(config.nuisance));
  if (source.nuisance->dataset_digest() == source.store->dataset_digest())
    throw ConfigError(
        "--nuisance " + config.nuisance +
        " is the source of the release: its pictures would show these people without noise. Use a store of others");
  if (source.nuisance->size() == 0 || source.nuisance->image_size() != source.store->image_size())
    throw ConfigError(fmt::format("--nuisance {} has {} images of {} pixels; some of {} are needed",
                                  config.nuisance, source.nuisance->size(), source.nuisance->image_size(),
                                  source.store->image_size()));
}

}  // namespace

RebuildSource open_rebuild_source(const ReconstructConfig& config, std::shared_ptr<const Store> store,
                                  torch::Device device) {
  if (config.baseline) {
    check_baseline(*config.baseline, store->image_size());
    return {.store = std::move(store), .weights = {}};
  }
  RebuildSource source{.store = std::move(store), .weights = read_weights(config.from)};
  source.model = face_mae_from(source.weights);
  if (const std::string reason = unfit_for_release(source.weights); !reason.empty())
    throw ConfigError(reason);
  if (source.model->config.image != source.store->image_size())
    throw ConfigError(fmt::format("the model was trained on images of {} pixels, the store has {}",
                                  source.model->config.image, source.store->image_size()));
  source.mask_ratio = mask_ratio_for(source.weights, config.mask_ratio);
  open_code(source, config);
  source.model->to(device);
  return source;
}

void refuse_flat_pictures(RebuildSource& source, torch::Device device) {
  if (source.model) refuse_flat_pictures(*source.store, source.model, device, source.mask_ratio);
}

void warn_of_doubts(const RebuildSource& source, const ReconstructConfig& config) {
  if (config.baseline) {
    if (config.baseline->kind == BaselineKind::Real)
      spdlog::warn(
          "--baseline real: REAL FACES will be in {}, as they are, and nothing hides who they are. It is for comparisons on this machine: never pass it on",
          config.out);
    else
      spdlog::warn(
          "--baseline {}: {} will hold pictures of real faces that attackers who learn the defence recognise. It is for comparisons: do not pass it on",
          config.baseline->name, config.out);
    return;
  }
  if (config.blend && config.blend->people == 1)
    spdlog::warn(
        "--blend photos makes it worse for the people: what differs between a person's photos cancels, and who it is stays. "
        "Nearest means of a person found the person for 94 % of such pictures, for 21 % of plain ones (measured on synthetic faces; docs/METHOD.md). "
        "Use --blend people:4");
  warn_of_training_identities(*source.store, source.weights);
  if (reconstruction_of(source.weights).empty())
    spdlog::warn(
        "{} does not say what it was trained to rebuild: a model that learned hidden patches alone (as the official MAE did) makes no pictures fit for a release",
        source.weights.origin);
}

}  // namespace facemae
