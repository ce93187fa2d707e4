// facemae audit: how far rebuilt faces can be linked to the real ones.
#include "app/command.h"
#include "app/output_locks.h"
#include "cluster/world/world.h"
#include "core/log.h"
#include "core/signals.h"
#include "core/text.h"
#include "evaluation/onnx/onnx_choice.h"
#include "evaluation/report/audit_report.h"
#include "trainer/release/audit_attacks.h"
#include "trainer/release/audit_release.h"

namespace facemae {
namespace {

std::string attack_list() {
  std::vector<std::string> rows;
  for (const AttackKind& kind : attack_kinds()) rows.push_back(std::string(kind.name) + " " + kind.help);
  return join(rows, "; ");
}

}  // namespace

ExitCode run_audit(App& app, Words words) {
  AuditConfig config;
  std::string device = "auto";
  Options options(
      "Measures how far rebuilt faces can be linked to the real ones: how often attackers, of which some learn from people of their own, name a person rightly. "
      "Every figure stands beside chance, controls and a 95 % interval; the headline is the strongest attack at its strongest level. "
      "Low figures are no proof of privacy: stronger attackers exist. "
      "Both stores are in the memory of each rank (37 KB an image of 112 x 112): for larger ones rebuild and audit a `store subset`, or give --embedding with --only-embeddings. "
      "Attackers that train do so on all ranks, as runs in REPORT/attackers that go on when the audit is started again.",
      "audit --real STORE --released STORE --link PRIVATE_DIR --report DIR [OPTIONS]");
  options.group("Audit")
      .require("real", config.real, "store that was rebuilt")
      .require("released", config.released, "store that `facemae reconstruct` made of it")
      .require("link", config.link, "private folder of that release")
      .require("report", config.report, "folder for report.html and report.json")
      .add(
          "embedder", config.embedders,
          std::string(
              "recognition networks that attack: RUN, a checkpoint, safetensors with metadata, or a network of others as ") +
              kOnnxForm)
      .add(
          "embedding", config.embeddings,
          "NAME=REAL.npy,RELEASED.npy: embeddings of both stores that any program made (`facemae embed`, numpy.save), a row for each image "
          "in the order of the store")
      .flag(
          "only-embeddings", config.only_embeddings,
          "only the attacks of --embedding: no picture is read, so stores may have any size, and mpirun may start any number of ranks")
      .add("attacks", config.attacks, "quick (A0, A1), standard, all, or ids with commas: " + attack_list())
      .add(
          "attacker-store", config.attacker_store,
          "store of other people, for attackers to learn from; without it they learn from one half of the released people and are tested on the other, both ways")
      .add("attacker-released", config.attacker_released,
           "release of --attacker-store that was made like this one")
      .add("attacker-link", config.attacker_link, "private folder of that release")
      .add(
          "distractors", config.distractors,
          "store of people who were never released: they join the gallery, and tell whether members are recognised as such")
      .add(
          "pairs", config.pairs,
          "learning curve: numbers of released pictures to learn from, with commas, before all there are; all for none")
      .add("max-probes", config.max_probes,
           "rebuilt pictures that are tried: drawn at random, and for attackers that learn as whole classes")
      .at_least(1)
      .add(
          "utility", config.utility,
          "NAME=FILE of `facemae evaluate --json`: accuracies to show beside the leakage; of those named plain and release a "
          "policy sees the difference")
      .add("note", config.note, "sentence for the top of the report")
      .choice("pictures", config.pictures, {"none", "released", "all"},
              "pictures in the report; all shows real faces too, in files that only you may read")
      .add("seed", config.seed, "seed for the draw and for the intervals")
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  declare(options, config.trained);
  declare(options, config.further);
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!config.only_embeddings || !config.embeddings.empty(),
                "--only-embeddings needs --embedding NAME=REAL.npy,RELEASED.npy");
  options.check(!config.only_embeddings || (config.embedders.empty() && config.utility.empty()),
                "--only-embeddings leaves out --embedder and --utility");
  FurtherAttacks further = config.further;
  further.distractors = config.distractors;
  validate(options, further);
  if (!config.only_embeddings) check_attacks(config);
  if (!options.finish()) return ExitCode::Done;
  if (!config.only_embeddings) install_notice_handlers(launched_alone());
  World& world = app.world({.device = device});

  OutputLocks locks("audit");
  const auto claim = [&] { locks.folder("--report", config.report); };
  const Report report = config.only_embeddings ? audit_by_embeddings(config, world.control(), claim)
                                               : audit_release(config, world, claim);
  if (!world.control().is_root()) return ExitCode::Done;
  fmt::print("{}", summary_text(report));
  spdlog::info("report: {}", (Path(config.report) / "report.html").string());
  app.result(nlohmann::ordered_json(to_json(report)));
  return ExitCode::Done;
}

}  // namespace facemae
