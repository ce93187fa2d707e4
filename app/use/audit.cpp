// facemae audit: how far rebuilt faces can be linked to the real ones.
#include "app/command.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "evaluation/report/audit_report.h"
#include "trainer/release/audit_release.h"

namespace facemae {

ExitCode run_audit(App& app, Words words) {
  AuditConfig config;
  std::string device = "auto";
  Options options(
      "Measures how far rebuilt faces can be linked to the real ones: a pixel attacker that needs no network, and face embedders. "
      "Every figure stands beside chance, a real-to-real ceiling and a 95 % interval. "
      "Low figures are no proof of privacy: stronger attackers exist. "
      "Works on one rank, with both stores in memory (37 KB an image of 112 x 112): for larger ones rebuild and audit a `store subset`.",
      "audit --real STORE --released STORE --link PRIVATE_DIR --report DIR [OPTIONS]");
  options.group("Audit")
      .require("real", config.real, "store that was rebuilt")
      .require("released", config.released, "store that `facemae reconstruct` made of it")
      .require("link", config.link, "private folder of that release")
      .require("report", config.report, "folder for report.html and report.json")
      .add("embedder", config.embedders,
           "recognition networks that attack: RUN, a checkpoint, or safetensors with metadata")
      .add("max-probes", config.max_probes, "rebuilt pictures that are tried, drawn at random")
      .at_least(1)
      .add("utility", config.utility,
           "NAME=FILE of `facemae evaluate --json`: accuracies to show beside the leakage")
      .add("note", config.note, "sentence for the top of the report")
      .choice("pictures", config.pictures, {"none", "released", "all"},
              "pictures in the report; all shows real faces too, in files that only you may read")
      .add("seed", config.seed, "seed for the draw and for the intervals")
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = device});
  if (world.topology().size > 1)
    throw ConfigError("`facemae audit` works on one rank: start it without mpirun or srun");

  OutputLocks locks("audit");
  const Report report =
      audit_release(config, world.device(), [&] { locks.folder("--report", config.report); });
  fmt::print("{}", summary_text(report));
  spdlog::info("report: {}", (Path(config.report) / "report.html").string());
  app.result(nlohmann::ordered_json(to_json(report)));
  return ExitCode::Done;
}

}  // namespace facemae
