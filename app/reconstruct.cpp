// facemae reconstruct: rebuilt faces of unseen people as a candidate for release.
#include <torch/torch.h>

#include <algorithm>
#include <optional>

#include "app/command.h"
#include "app/stored_images.h"
#include "cluster/agree.h"
#include "cluster/shared_folder.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/release.h"
#include "evaluation/audit.h"
#include "trainer/models.h"
#include "trainer/plausible.h"
#include "trainer/rebuild.h"

namespace facemae {
namespace {

constexpr std::uint64_t kQuickAuditImages = 2000;

struct ReconstructConfig {
  std::string store, from, out, private_folder, second_release, codec = "jpeg", device = "auto";
  double mask_ratio = 0.75;
  std::uint64_t images_per_identity = 0, shard_images = 8192;
  int quality = 95;
};

std::string to_text(const ReleaseSecret& secret) {
  return nlohmann::json{{"mask", secret.mask_seed},       {"label", secret.label_seed},
                        {"order", secret.order_seed},     {"uuid", secret.uuid},
                        {"source", secret.source_digest}, {"out", secret.out}}
      .dump();
}

ReleaseSecret secret_from(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  return {.mask_seed = json["mask"],
          .label_seed = json["label"],
          .order_seed = json["order"],
          .uuid = json["uuid"],
          .source_digest = json["source"],
          .out = json["out"]};
}

/// Releases people whose faces trained the model: the paper's setting is unseen people.
void warn_of_training_identities(const Store& store, const Weights& weights) {
  const auto seen = weights.training_identities;
  if (!seen.defined() || seen.numel() == 0) {
    spdlog::warn("{} does not say which identities it was trained on: make sure that the release has others",
                 weights.origin);
    return;
  }
  const auto hashes = seen.contiguous();
  const std::vector<std::int64_t> known(hashes.data_ptr<std::int64_t>(),
                                        hashes.data_ptr<std::int64_t>() + hashes.numel());
  std::int64_t both = 0;
  for (std::int64_t label = 0; label < store.identities(); ++label)
    both +=
        std::binary_search(known.begin(), known.end(), training_identity_hash(store.identity_name(label)));
  if (both > 0)
    spdlog::warn(
        "{} of {} identities of the release were in the model's training set: their rebuilt faces may be "
        "closer to the real "
        "ones. Use identities that the model has not seen (`facemae store split`)",
        both, store.identities());
}

/// A release is made with one set of settings: going on with others would mix them without a trace.
void check_settings(const ReconstructConfig& config, const Weights& weights, const ReleaseSecret& secret) {
  const nlohmann::ordered_json settings = {{"model_hash", weights.hash},
                                           {"mask_ratio", config.mask_ratio},
                                           {"codec", config.codec},
                                           {"quality", config.quality},
                                           {"images_per_identity", config.images_per_identity},
                                           {"shard_images", config.shard_images}};
  const Path file = Path(config.private_folder) / ("settings-" + secret.uuid + ".json");
  const std::string now = settings.dump(2) + "\n";
  if (!std::filesystem::exists(file)) return write_durably(real_files(), file, now);
  if (const std::string before = read_file(file); before != now)
    throw ConfigError(
        "the release in " + config.out + " was begun with other settings:\n" + before +
        "Go on with those (an exported model does not change while its run goes on), or choose another --out "
        "and say why with --second-release.");
}

/// Every rank rebuilds its shards; finished ones are left alone.
void rebuild_shards(World& world, const Store& store, FaceMae& model, const ReconstructConfig& config,
                    const ReleaseSecret& secret, const ReleasePlan& plan) {
  const auto rank = static_cast<std::uint64_t>(world.topology().rank),
             ranks = static_cast<std::uint64_t>(world.topology().size);
  const auto rows_before = [&](std::uint64_t shard) {
    return std::min<std::uint64_t>(shard * plan.shard_images, plan.source_rows.size());
  };
  std::vector<std::uint64_t> todo;
  std::uint64_t images = 0, finished = 0, finished_images = 0;
  for (std::uint64_t shard = rank; shard < plan.shards(); shard += ranks) {
    const std::uint64_t inside = rows_before(shard + 1) - rows_before(shard);
    images += inside;
    if (release_shard_done(config.out, secret, plan, shard)) {
      ++finished;
      finished_images += inside;
    } else {
      todo.push_back(shard);
    }
  }
  if (finished > 0) spdlog::info("{} shard(s) were finished by an earlier start", finished);
  Progress progress(ranks == 1 ? "rebuilding" : "rebuilding, the first rank's share", images, "images",
                    rank == 0);
  progress.start_from(finished_images);
  for (const auto shard : todo) {
    const auto first = plan.source_rows.begin() + static_cast<std::ptrdiff_t>(rows_before(shard));
    const auto last = plan.source_rows.begin() + static_cast<std::ptrdiff_t>(rows_before(shard + 1));
    const auto encoded = rebuild_rows(store, {first, last}, model, world.device(),
                                      {.mask_ratio = config.mask_ratio,
                                       .mask_seed = secret.mask_seed,
                                       .jpeg_quality = config.quality,
                                       .png = config.codec == "png"},
                                      [&](std::size_t count) { progress.advance(count); });
    write_release_shard(real_files(), config.out, secret, plan, shard, encoded, model->config.image);
  }
  progress.finish();
}

/// The figure that a release should never go out without.
QuickAudit closing_audit(const ReconstructConfig& config, const Store& source) {
  const auto released = Store::open(config.out);
  const auto link = read_link(config.private_folder);
  std::vector<std::uint64_t> rows, sources;
  const std::uint64_t count = std::min<std::uint64_t>(kQuickAuditImages, released->size());
  for (std::uint64_t i = 0; i < count; ++i) {
    rows.push_back(i * released->size() / count);
    sources.push_back(link.source_rows[rows.back()]);
  }
  std::vector<std::int64_t> mate(rows.size());
  for (std::size_t i = 0; i < mate.size(); ++i) mate[i] = static_cast<std::int64_t>(i);
  return quick_pixel_audit(load_images(*released, rows), load_images(source, sources), mate);
}

}  // namespace

ExitCode run_reconstruct(App& app, Words words) {
  ReconstructConfig config;
  Options options(
      "Masks every face of a store of unseen people, rebuilds it with FaceMAE and writes a new store: a "
      "CANDIDATE for release "
      "whose leakage `facemae audit` measures, never a promise of privacy. Only decoder output is kept; "
      "labels are renumbered "
      "by a secret; names and everything else of the source stay behind. Sharded over ranks; the same "
      "command resumes.",
      "reconstruct --store STORE --from RUN --out STORE --private DIR [OPTIONS]");
  options.group("Release")
      .require("store", config.store, "faces of people that the model has not seen")
      .require("from", config.from, "RUN of `facemae pretrain`, a checkpoint of it, or its exported weights")
      .require("out", config.out, "folder of the rebuilt store")
      .require("private", config.private_folder,
               "folder for the secret, the label map and link.h5: never publish it")
      .add("mask-ratio", config.mask_ratio, "fraction of patches that is hidden")
      .add("images-per-identity", config.images_per_identity,
           "as many of each identity, others left out: counts are a fingerprint; 0: all images")
      .add("shard-images", config.shard_images,
           "images of a shard file: the unit of resuming and of the ranks' shares")
      .choice("codec", config.codec, {"jpeg", "png"}, "of the rebuilt images")
      .add("quality", config.quality, "of JPEG, 1 to 100")
      .add("second-release", config.second_release,
           "why the same faces are released once more: each release leaks more")
      .choice("device", config.device, {"auto", "cpu", "cuda"}, "where to compute");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(config.mask_ratio > 0 && config.mask_ratio < 1, "--mask-ratio must be between 0 and 1");
  options.check(config.shard_images > 0, "--shard-images must be at least 1");
  options.check(config.quality >= 1 && config.quality <= 100, "--quality must be 1 to 100");
  if (!options.finish()) return ExitCode::Done;

  World& world = app.world({.device = config.device});
  Control& control = world.control();
  std::shared_ptr<const Store> store;
  Weights weights;
  FaceMae model{nullptr};
  std::string secret_text;
  together(control, [&] {
    store = Store::open(config.store);
    weights = read_weights(config.from);
    model = face_mae_from(weights);
    if (const std::string reason = unfit_for_release(weights); !reason.empty()) throw ConfigError(reason);
    if (model->config.image != store->image_size())
      throw ConfigError(fmt::format("the model was trained on {} pixels, the store has {}",
                                    model->config.image, store->image_size()));
    model->to(world.device());
    check_release(*store, config.images_per_identity);
    if (control.is_root()) refuse_flat_pictures(*store, model, world.device(), config.mask_ratio);
    if (control.is_root()) {
      make_folders(real_files(), Path(config.out).parent_path());
      if (!std::filesystem::is_directory(config.out)) expect_place_for("out", config.out);
      warn_of_training_identities(*store, weights);
      if (reconstruction_of(weights).empty())
        spdlog::warn(
            "{} does not say what it was trained to rebuild: a model that learned hidden patches alone (as "
            "the official MAE did) makes no pictures fit for a release",
            weights.origin);
    }
  });
  expect_same_weights(control, config.from, weights.hash);
  // Where OUT will be made, as long as it is not there: a release that is refused leaves nothing behind.
  const Path out = config.out;
  const bool there = control.any_of(control.is_root() && std::filesystem::is_directory(out) ? 1 : 0) != 0;
  require_shared(control, real_files(), there ? out : std::filesystem::absolute(out).parent_path(),
                 "--out " + config.out);
  together(control, [&] {  // nothing stands against the release any more: it begins
    if (!control.is_root()) return;
    const auto opened =
        open_private(real_files(), config.private_folder, config.out, *store, config.second_release);
    check_settings(config, weights, opened);
    secret_text = to_text(opened);
  });
  const ReleaseSecret secret = secret_from(control.broadcast(secret_text));
  ReleasePlan plan;
  together(control, [&] {
    plan = plan_release(*store, secret, config.images_per_identity, config.shard_images);
    rebuild_shards(world, *store, model, config, secret, plan);
  });
  std::optional<QuickAudit> audit;
  together(control, [&] {
    if (!control.is_root()) return;
    finish_release(real_files(), config.out, config.private_folder, secret, plan,
                   {.model_hash = weights.hash,
                    .software_version = FACEMAE_VERSION,
                    .source_licence = store->source_licence(),
                    .mask_ratio = config.mask_ratio},
                   *store);
    try {
      audit = closing_audit(config, *store);
    } catch (const std::exception& error) {  // the release is finished; only its first figure is missing
      spdlog::error("the closing audit failed, run `facemae audit`: {}", error.what());
    }
  });
  const std::uint64_t audited = std::min<std::uint64_t>(kQuickAuditImages, plan.source_rows.size());
  if (control.is_root()) {
    spdlog::info("{}: {} rebuilt images of {} identities, private part in {}", config.out,
                 human_count(plan.source_rows.size()), plan.identities, config.private_folder);
    if (audit)
      fmt::print(
          "quick pixel audit: {:.1f} % of {} rebuilt faces are linked to their original (chance {:.2f} %, 95 "
          "% "
          "interval {:.1f} to {:.1f}).\n"
          "This is a lower bound of the leakage: run `facemae audit` before anything leaves your hands.\n",
          100 * audit->rank1.value, audited, 100 * audit->chance, 100 * audit->rank1.low,
          100 * audit->rank1.high);
  }
  nlohmann::ordered_json quick = nullptr;  // not measured
  if (audit) quick = {{"linked", audit->rank1.value}, {"chance", audit->chance}, {"images", audited}};
  app.result({{"images", plan.source_rows.size()},
              {"identities", plan.identities},
              {"model_hash", weights.hash},
              {"mask_ratio", config.mask_ratio},
              {"quick_audit", quick}});
  return ExitCode::Done;
}

}  // namespace facemae
