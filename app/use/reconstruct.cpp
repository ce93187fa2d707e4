// facemae reconstruct: rebuilt faces of unseen people as a candidate for release.
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "app/command.h"
#include "app/output_locks.h"
#include "app/use/closing_audit.h"
#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/release/release.h"
#include "data/release/release_originals.h"
#include "data/store/people_key.h"
#include "trainer/apply/models.h"
#include "trainer/apply/plausible.h"
#include "trainer/apply/rebuild.h"
#include "trainer/input/training_identities.h"

namespace facemae {
namespace {

struct ReconstructConfig {
  std::string store, from, out, private_folder, second_release, codec = "jpeg", device = "auto";
  std::optional<double> mask_ratio;
  std::uint64_t images_per_identity = 0, shard_images = 8192;
  int quality = 95;
};

/// Releases people whose faces trained the model: the paper's setting is unseen people.
void warn_of_training_identities(const Store& store, const Weights& weights) {
  const auto both = trained_on(weights.training_identities, store, people_key(store));
  if (!both) {
    spdlog::warn(
        "it cannot be told whether {} was trained on people of {} (it was not on views of the same packed store, or does not say): make sure that the release has others",
        weights.origin, store.folder().string());
  } else if (*both > 0) {
    spdlog::warn(
        "{} of {} identities of the release were in the model's training set: their rebuilt faces may be closer to the real ones. "
        "Use identities that the model has not seen (`facemae store split`)",
        *both, store.identities());
  }
}

/// A release is made with one set of settings: going on with others would mix them without a trace.
void check_settings(PrivateFolder& folder, const ReconstructConfig& config, double mask_ratio,
                    const Weights& weights, const ReleaseSecret& secret) {
  const nlohmann::ordered_json settings = {{"model_hash", weights.hash},
                                           {"mask_ratio", mask_ratio},
                                           {"codec", config.codec},
                                           {"quality", config.quality},
                                           {"images_per_identity", config.images_per_identity},
                                           {"shard_images", config.shard_images}};
  const std::string name = "settings-" + secret.uuid + ".json", now = settings.dump(2) + "\n";
  if (!folder.has(name)) return folder.write(name, now);
  if (const std::string before = folder.read(name); before != now)
    throw ConfigError(
        "the release in " + config.out + " was begun with other settings:\n" + before +
        "Go on with those (an exported model does not change while its run goes on), or choose another --out and say why with --second-release.");
}

/// All ranks: the original of every row, on rank 0. Each rank reads a share of the store.
std::vector<Hash256> gather_originals(Control& control, const Store& store) {
  const auto rank = static_cast<std::uint64_t>(control.rank()),
             ranks = static_cast<std::uint64_t>(control.size());
  const std::uint64_t first = store.size() * rank / ranks, last = store.size() * (rank + 1) / ranks;
  std::string mine;
  together(control, [&] {
    Progress progress(ranks == 1 ? "reading the originals" : "reading the originals, the first rank's share",
                      last - first, "images", rank == 0);
    const auto own = originals_of(store, first, last, [&](std::size_t count) { progress.advance(count); });
    progress.finish();
    mine.assign(reinterpret_cast<const char*>(own.data()), own.size() * sizeof(Hash256));
  });
  std::string all;
  for (std::string& share : control.gather(mine)) all += share;
  std::vector<Hash256> originals(all.size() / sizeof(Hash256));
  if (!all.empty()) std::memcpy(originals.data(), all.data(), all.size());
  return originals;
}

/// Every rank rebuilds its shards; finished ones are left alone.
void rebuild_shards(World& world, const Store& store, FaceMae& model, const ReconstructConfig& config,
                    double mask_ratio, const ReleaseSecret& secret, const ReleasePlan& plan) {
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
                                      {.mask_ratio = mask_ratio,
                                       .mask_key = secret.mask_key(),
                                       .jpeg_quality = config.quality,
                                       .png = config.codec == "png"},
                                      [&](std::size_t count) { progress.advance(count); });
    write_release_shard(real_files(), config.out, secret, plan, shard, encoded, model->config.image);
  }
  progress.finish();
}

}  // namespace

ExitCode run_reconstruct(App& app, Words words) {
  ReconstructConfig config;
  Options options(
      "Masks every face of a store of unseen people, rebuilds it with FaceMAE and writes a new store: a CANDIDATE for release whose leakage `facemae audit` measures, never a promise of privacy. "
      "Only decoder output is kept; "
      "labels, order and masks follow from a random key that stays in --private; names stay behind. "
      "Of originals that are equal byte for byte one is used. "
      "The ledger in --private knows the originals of the releases made with that folder, and no others: one that was released before needs a reason. "
      "Sharded over ranks; the same command resumes.",
      "reconstruct --store STORE --from RUN --out STORE --private DIR [OPTIONS]");
  options.group("Release")
      .require("store", config.store, "faces of people that the model has not seen")
      .require("from", config.from, "RUN of `facemae pretrain`, a checkpoint of it, or its exported weights")
      .require("out", config.out, "folder of the rebuilt store")
      .require("private", config.private_folder,
               "folder for the key, the ledger and link.h5: never publish it. It is made with mode 0700; "
               "one that is there must be yours alone")
      .add("mask-ratio", config.mask_ratio,
           "fraction of patches that is hidden; unless given, that of the model's training")
      .above(0)
      .below(1)
      .add("images-per-identity", config.images_per_identity,
           "images per identity, others are left out; 0: all images, whose number may tell who it is")
      .add("shard-images", config.shard_images,
           "images per shard file: the unit of resuming and of the ranks' shares")
      .at_least(1)
      .choice("codec", config.codec, {"jpeg", "png"}, "format of the rebuilt images")
      .add("quality", config.quality, "JPEG quality, 1 to 100")
      .between(1, 100)
      .add("second-release", config.second_release,
           "reason for which faces of an earlier release are released once more: each release leaks more")
      .choice("device", config.device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;

  World& world = app.world({.device = config.device});
  Control& control = world.control();
  std::shared_ptr<const Store> store;
  Weights weights;
  FaceMae model{nullptr};
  double mask_ratio = 0;
  ReleaseChoice choice{.images_per_identity = config.images_per_identity, .copies = {}};
  OutputLocks locks("reconstruct");  // rank 0 holds both to the end
  std::unique_ptr<PrivateFolder> folder;
  together(control, [&] {
    store = Store::open(config.store);
    weights = read_weights(config.from);
    model = face_mae_from(weights);
    if (const std::string reason = unfit_for_release(weights); !reason.empty()) throw ConfigError(reason);
    if (model->config.image != store->image_size())
      throw ConfigError(fmt::format("the model was trained on {} pixels, the store has {}",
                                    model->config.image, store->image_size()));
    mask_ratio = mask_ratio_for(weights, config.mask_ratio);
    model->to(world.device());
    check_release(*store, choice);
    if (!control.is_root()) return;
    refuse_flat_pictures(*store, model, world.device(), mask_ratio);
    check_separate(config.private_folder, config.out);
    make_folders(real_files(), Path(config.out).parent_path());
    if (!std::filesystem::is_directory(config.out)) expect_place_for("out", config.out);
    locks.whole("--out", config.out);
    folder = std::make_unique<PrivateFolder>(config.private_folder);
    warn_of_training_identities(*store, weights);
    if (reconstruction_of(weights).empty())
      spdlog::warn(
          "{} does not say what it was trained to rebuild: a model that learned hidden patches alone (as the official MAE did) makes no pictures fit for a release",
          weights.origin);
  });
  expect_same_weights(control, config.from, weights.hash);
  // Where OUT will be made, as long as it is not there: a release that is refused leaves nothing behind.
  const Path out = config.out;
  const bool there = control.any_of(control.is_root() && std::filesystem::is_directory(out) ? 1 : 0) != 0;
  require_shared(control, real_files(), there ? out : std::filesystem::absolute(out).parent_path(),
                 "--out " + config.out);
  const auto originals = gather_originals(control, *store);
  std::string secret_text, copies;
  together(control, [&] {  // once nothing stands against the release any more, it begins
    if (!control.is_root()) return;
    choice.copies = copies_among(originals);
    if (!choice.copies.empty())
      spdlog::info("{} original(s) are the same as another, byte for byte: one of each group is released",
                   human_count(choice.copies.size()));
    check_release(*store, choice);
    const auto opened = open_release(*folder, config.out, *store, choice, originals, config.second_release);
    check_settings(*folder, config, mask_ratio, weights, opened);
    secret_text = to_text(opened);
    copies.assign(reinterpret_cast<const char*>(choice.copies.data()),
                  choice.copies.size() * sizeof(std::uint64_t));
  });
  const ReleaseSecret secret = secret_from_text(control.broadcast(secret_text), config.private_folder);
  copies = control.broadcast(copies);
  choice.copies.resize(copies.size() / sizeof(std::uint64_t));
  if (!copies.empty()) std::memcpy(choice.copies.data(), copies.data(), copies.size());
  ReleasePlan plan;
  together(control, [&] {
    plan = plan_release(*store, secret, choice, config.shard_images);
    rebuild_shards(world, *store, model, config, mask_ratio, secret, plan);
  });
  std::optional<QuickAudit> audit;
  ExitCode code = ExitCode::Done;
  together(control, [&] {
    if (!control.is_root()) return;
    finish_release(real_files(), config.out, *folder, secret, plan,
                   {.model_hash = weights.hash,
                    .software_version = program_version(),
                    .source_licence = store->source_licence(),
                    .mask_ratio = mask_ratio,
                    .images_per_identity = config.images_per_identity},
                   *store);
    try {
      audit = closing_audit(config.out, config.private_folder, *store);
    } catch (const std::exception& error) {  // the release is whole; but nobody should take it for audited
      code = exit_code_for(error);
      spdlog::error(
          "the release is written, but its closing audit failed: {}. The same command tries the audit again",
          error.what());
    }
  });
  if (control.is_root()) {
    spdlog::info("{}: {} rebuilt images of {} identities, private part in {}", config.out,
                 human_count(plan.source_rows.size()), plan.identities, config.private_folder);
    if (audit) print_closing_audit(*audit);
  }
  nlohmann::ordered_json quick = nullptr;  // not measured
  if (audit)
    quick = {{"attacker", audit->attacker},     {"linked", audit->rank1.value}, {"low", audit->rank1.low},
             {"high", audit->rank1.high},       {"chance", audit->chance},      {"images", audit->probes},
             {"candidates", audit->candidates}, {"people", audit->people}};
  app.result({{"images", plan.source_rows.size()},
              {"identities", plan.identities},
              {"model_hash", weights.hash},
              {"mask_ratio", mask_ratio},
              {"equal_originals_left_out", choice.copies.size()},
              {"quick_audit", quick}});
  return code;
}

}  // namespace facemae
