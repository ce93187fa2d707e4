// facemae reconstruct: rebuilt faces of unseen people as a candidate for release.
#include "app/command.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "core/text.h"
#include "evaluation/gate/policy.h"
#include "trainer/rebuild/baseline.h"
#include "trainer/release/closing_audit.h"
#include "trainer/release/rebuild_release.h"

namespace facemae {
namespace {

nlohmann::ordered_json describe(const Figure& figure) {
  return {{"value", figure.value}, {"low", figure.low}, {"high", figure.high}};
}
nlohmann::ordered_json describe(const Measurement& found) {
  return {{"level", name_of(found.level)},
          {"attacker", found.attacker},
          {"chance", found.chance},
          {"found", describe(found.found)},
          {"people_per_class", found.people_per_class},
          {"naming_odds", describe(naming_odds(found))}};
}

nlohmann::ordered_json describe(const std::optional<ClosingAudit>& measured) {
  if (!measured) return nullptr;
  const ClosingAudit& audit = *measured;
  nlohmann::ordered_json told = {{"images", audit.pictures},
                                 {"classes", audit.classes},
                                 {"candidates", audit.photos},
                                 {"people", audit.people},
                                 {"naming_odds", describe(audit.naming_odds)},
                                 {"measurements", nlohmann::ordered_json::array()}};
  for (const Measurement& found : audit.found) told["measurements"].push_back(describe(found));
  if (const Measurement* own = audit.at(Level::OwnPicture))
    told.update({{"attacker", own->attacker},
                 {"linked", own->found.value},
                 {"low", own->found.low},
                 {"high", own->found.high},
                 {"chance", own->chance}});
  return told;
}

nlohmann::ordered_json describe(const RebuiltRelease& made, const ReconstructConfig& config) {
  nlohmann::ordered_json told = {{"images", made.images},
                                 {"identities", made.identities},
                                 {"model_hash", made.model_hash},
                                 {"mask_ratio", made.mask_ratio},
                                 {"equal_originals_left_out", made.copies},
                                 {"quick_audit", describe(made.audit)}};
  if (config.baseline) told["baseline"] = config.baseline->name;
  if (config.blend)
    told["blend"] = {{"people", config.blend->people},
                     {"images", config.blend->images},
                     {"min_people", config.blend->min_people},
                     {"people_left_out", made.people_left_out}};
  return told;
}

}  // namespace

ExitCode run_reconstruct(App& app, Words words) {
  ReconstructConfig config;
  std::string device = "auto", blend, baseline, policy;
  std::uint64_t blend_images = 16, blend_min_people = 1;
  Options options(
      "Masks every face of a store of unseen people, rebuilds it with FaceMAE and writes a new store: a CANDIDATE for release whose leakage `facemae audit` measures, never a promise of privacy. "
      "Only decoder output is kept; "
      "labels, order and masks follow from a random key that stays in --private; names stay behind. "
      "Of originals that are equal byte for byte one is used. "
      "The ledger in --private knows the originals of the releases made with that folder, and no others: one that was released before needs a reason. "
      "With --blend people:K each class is a group of K people, and each picture is decoded from means over all of them: whoever finds a person's class has found one of K. "
      "The groups stay in --private for ever. "
      "Sharded over ranks; the same command resumes.",
      "reconstruct --store STORE (--from RUN | --baseline KIND) --out STORE --private DIR [OPTIONS]");
  options.group("Release")
      .require("store", config.store, "faces of people that the model has not seen")
      .add("from", config.from, "RUN of `facemae pretrain`, a checkpoint of it, or its exported weights")
      .require("out", config.out, "folder of the rebuilt store")
      .require("private", config.private_folder,
               "folder for the key, the ledger and link.h5: never publish it. It is made with mode 0700; "
               "one that is there must be yours alone")
      .add("mask-ratio", config.mask_ratio,
           "fraction of patches that is hidden; unless given, that of the model's training")
      .above(0)
      .below(1)
      .add(
          "code-noise", config.code_noise,
          "noise on the mean code of a person's photos, for a model of `pretrain --code`: mu:X makes the release X-GDP for the "
          "replacement of one photo (mu:1 is epsilon 4.4 at delta 1e-5), none makes no promise")
      .choice("code-unit", config.code_unit, {"photo"},
              "whose replacement --code-noise hides; a person's photos together are not hidden")
      .add(
          "nuisance", config.nuisance,
          "store of other people, of the training or synthetic, two patches of whose photos make pictures of one code differ, for a "
          "model of `pretrain --code`")
      .add("images-per-identity", config.images_per_identity,
           "images per identity, others are left out; 0: all images, whose number may tell who it is. "
           "Of a blend: pictures of each class, 0 for as many in all as there are photos")
      .add("shard-images", config.shard_images,
           "images per shard file: the unit of resuming and of the ranks' shares")
      .at_least(1)
      .choice("codec", config.codec, {"jpeg", "png"}, "format of the rebuilt images")
      .add("quality", config.quality, "JPEG quality, 1 to 100")
      .between(1, 100)
      .add("second-release", config.second_release,
           "reason for which faces of an earlier release are released once more: each release leaks more. "
           "People of a blend keep their groups; no reason puts them into other ones")
      .add(
          "policy", policy,
          "file that says what the release must satisfy (`facemae release --write-policy`): its digest is noted before anything is rebuilt, and `facemae release` judges by no other")
      .choice("precision", config.precision, {"float32", "tf32", "bfloat16"},
              "number format of the model's products; the last bits of the pictures depend on it")
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  options.group("People blend")
      .add(
          "blend", blend,
          "people:K blends the photos of K people, groups of exactly K that a secret key draws: anonymity among K, though not secrecy of who is in the release; "
          "people who do not fill a group are left out. photos blends a person's own photos, which makes the person easier to find")
      .add("blend-images", blend_images, "photos in each picture, as many of each person: a multiple of K")
      .between(1, 1024)
      .add("blend-min-people", blend_min_people,
           "people of whom a patch needs a visible token, 1 to K; with fewer it is rebuilt as a hidden one")
      .at_least(1);
  options.group("Baselines")
      .add("baseline", baseline,
           "instead of rebuilt faces those of a simple defence, to compare with and never to publish: " +
               baseline_help());
  options.epilogue(
      "Example: facemae reconstruct --store unseen --from runs/mae --out rebuilt --private secret --blend people:4");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(config.from.empty() != baseline.empty(),
                "either --from names a model or --baseline a simple defence");
  options.check(blend.empty() || baseline.empty(), "--blend needs a model: it does not go with --baseline");
  options.check(baseline.empty() || !config.mask_ratio,
                "--mask-ratio is that of a model: a baseline is given its own, as --baseline masked:0.75");
  options.check(baseline.empty() || config.precision == "float32",
                "--precision is of a model: leave it out with --baseline");
  options.check(!blend.empty() || !(options.given("blend-images") || options.given("blend-min-people")),
                "--blend-images and --blend-min-people belong to --blend people:K");
  if (!options.finish()) return ExitCode::Done;
  if (!blend.empty()) config.blend = blend_from(blend, blend_images, blend_min_people);
  if (!baseline.empty()) config.baseline = baseline_from(baseline);

  if (!policy.empty()) config.policy = read_policy(policy).digest;

  World& world = app.world({.device = device});
  OutputLocks locks("reconstruct");  // rank 0 holds it to the end
  const RebuiltRelease made = rebuild_release(world, config, [&] { locks.whole("--out", config.out); });
  if (world.control().is_root()) {
    spdlog::info("{}: {} rebuilt images of {} identities, private part in {}", config.out,
                 human_count(made.images), made.identities, config.private_folder);
    if (made.audit) fmt::print("{}", closing_audit_text(*made.audit));
  }
  app.result(describe(made, config));
  return made.code;
}

}  // namespace facemae
