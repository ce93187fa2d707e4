// facemae reconstruct: rebuilt faces of unseen people as a candidate for release.
#include "app/command.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/release/closing_audit.h"
#include "trainer/release/rebuild_release.h"

namespace facemae {
namespace {

nlohmann::ordered_json describe(const RebuiltRelease& made) {
  nlohmann::ordered_json quick = nullptr;  // not measured
  if (const auto& audit = made.audit)
    quick = {{"attacker", audit->attacker},     {"linked", audit->rank1.value}, {"low", audit->rank1.low},
             {"high", audit->rank1.high},       {"chance", audit->chance},      {"images", audit->probes},
             {"candidates", audit->candidates}, {"people", audit->people}};
  return {{"images", made.images},
          {"identities", made.identities},
          {"model_hash", made.model_hash},
          {"mask_ratio", made.mask_ratio},
          {"equal_originals_left_out", made.copies},
          {"quick_audit", quick}};
}

}  // namespace

ExitCode run_reconstruct(App& app, Words words) {
  ReconstructConfig config;
  std::string device = "auto";
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
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;

  World& world = app.world({.device = device});
  OutputLocks locks("reconstruct");  // rank 0 holds it to the end
  const RebuiltRelease made = rebuild_release(world, config, [&] { locks.whole("--out", config.out); });
  if (world.control().is_root()) {
    spdlog::info("{}: {} rebuilt images of {} identities, private part in {}", config.out,
                 human_count(made.images), made.identities, config.private_folder);
    if (made.audit) fmt::print("{}", closing_audit_text(*made.audit));
  }
  app.result(describe(made));
  return made.code;
}

}  // namespace facemae
