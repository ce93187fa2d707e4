// facemae checkpoint verify, diff and prune: what reads hashes, and what removes.
#include <algorithm>
#include <cstdlib>

#include "app/train/checkpoint_verbs.h"
#include "checkpoint/history/catalogue.h"
#include "checkpoint/history/tidy.h"
#include "checkpoint/tensors/weights.h"
#include "core/failpoint.h"
#include "core/files/folder_lock.h"
#include "core/log.h"
#include "core/progress.h"

namespace facemae {
namespace {

/// The checkpoints that the words name. A run without any is refused: to have verified nothing is no success.
std::vector<Path> folders_to_verify(const std::vector<std::string>& what, bool all) {
  std::vector<Path> folders;
  for (const auto& name : what) {
    Path given = Path(name).lexically_normal();
    if (!given.has_filename() && given.has_parent_path()) given = given.parent_path();  // "RUN/"
    if (!all || parse_folder_name(given.filename().string())) {
      folders.push_back(checkpoint_of(name));
      continue;
    }
    expect_run(given);
    const auto before = folders.size();
    for (const auto& facts : catalogue(given))
      if (facts.folder.committed) folders.push_back(facts.folder.path);
    if (folders.size() > before) continue;
    fmt::print("{}: nothing to verify\n", name);
    refuse_without_checkpoint(given, "");
  }
  return folders;
}

}  // namespace

ExitCode checkpoint_verify(App& app, Words words) {
  std::vector<std::string> what;
  bool all = false, stamp = false;
  Options options(
      "Reads every byte of checkpoints and compares every hash; "
      "ends with 65 when one is wrong, or a value is not finite.",
      "checkpoint verify RUN_OR_CHECKPOINT... [OPTIONS]");
  options.epilogue(
      "A path without a checkpoint to verify is refused: with 2 when it is not a run or has no checkpoint yet, with 93 when its HISTORY "
      "names checkpoints and none is left.");
  options.positional("RUN_OR_CHECKPOINT", what, "runs (their newest valid checkpoint) and checkpoints", 1);
  options.group("Verify")
      .flag("all", all, "verify all committed checkpoints of the runs")
      .flag("stamp", stamp, "mark right checkpoints as VERIFIED, as the run does itself after a save");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("checkpoint verify");
  const auto folders = folders_to_verify(what, all);
  auto json = nlohmann::ordered_json::array();
  bool good = true;
  for (const auto& folder : folders) {
    failpoint("verify.checkpoint");
    std::uint64_t bytes = 0;
    std::error_code error;
    const bool committed = std::filesystem::exists(folder / "COMMIT") || !std::filesystem::exists(folder);
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (const auto size = entry.file_size(error); !error) bytes += size;
    Progress progress("verifying " + folder.filename().string(), bytes / 1000000 + 1, "MB");
    std::uint64_t done = 0;
    const auto faults = verify_checkpoint(folder, [&](std::uint64_t read) {
      const std::uint64_t before = done / 1000000;
      done += read;
      progress.advance(done / 1000000 - before);
    });
    progress.finish();
    if (!faults.empty() && committed && !std::filesystem::exists(folder / "COMMIT")) {
      fmt::print("{}: removed meanwhile, by a run that keeps newer ones\n", folder.string());
      continue;
    }
    good = good && faults.empty();
    fmt::print("{}: {}\n", folder.string(), faults.empty() ? "every hash is right" : "DAMAGED");
    for (const auto& fault : faults) fmt::print("  {}\n", fault);
    if (faults.empty() && stamp) stamp_verified(real_files(), folder);
    json.push_back({{"path", folder.string()}, {"good", faults.empty()}, {"faults", faults}});
  }
  app.result({{"checkpoints", json}});
  return good ? ExitCode::Done : ExitCode::BadData;
}

ExitCode checkpoint_diff(App& app, Words words) {
  std::vector<std::string> what;
  Options options("Compares two checkpoints by their hashes, whatever numbers of ranks wrote them.",
                  "checkpoint diff A B [OPTIONS]");
  options.positional("A_B", what, "two runs (their newest valid checkpoints) or checkpoints", 2).at_most(2);
  options.epilogue(
      "Ends with 0 when all tensors are bit-equal (the roots are), with 3 when they are not, with 65 when a checkpoint "
      "is damaged.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("checkpoint diff");
  const Path first = checkpoint_of(what[0]), second = checkpoint_of(what[1]);
  const Manifest a = parse_manifest(valid_manifest_bytes(first)),
                 b = parse_manifest(valid_manifest_bytes(second));
  const auto lines = differences_between(a, b);
  for (const auto& line : lines) fmt::print("{}\n", line);
  if (a.root == b.root)
    fmt::print("equal: {} tensors, root {}; step {} of {} ranks and step {} of {} ranks\n", a.tensors.size(),
               a.root.hex(), a.id.step, a.world, b.id.step, b.world);
  app.result({{"equal", a.root == b.root}, {"roots", {a.root.hex(), b.root.hex()}}, {"differences", lines}});
  return a.root == b.root ? ExitCode::Done : ExitCode::Different;
}

ExitCode checkpoint_prune(App& app, Words words) {
  std::vector<std::string> what;
  RetentionPolicy policy;
  bool dry_run = false;
  Options options("Removes old checkpoints of a run by the same rule as the run itself.",
                  "checkpoint prune RUN [OPTIONS]");
  options.positional("RUN", what, "the run", 1).at_most(1);
  options.group("Keep (unless given: as the run was started)")
      .add("keep", policy.last, "number of newest checkpoints to keep")
      .at_least(2, "one checkpoint may turn out bad")
      .add("keep-every", policy.every, "also keep every checkpoint whose step is a multiple of N; 0: none")
      .flag("keep-best", policy.best, "also keep the checkpoint with the best metric")
      .flag("dry-run", dry_run, "only print what would be removed");
  options.epilogue(
      "A checkpoint is removed only when two newer ones are verified; "
      "`checkpoint verify RUN --all --stamp` verifies those that are not yet.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (what.size() == 1 && std::filesystem::exists(Path(what[0]) / "config.txt")) {
    const std::string config = read_plain_file(Path(what[0]) / "config.txt");
    if (!options.given("keep"))
      policy.last = std::max(2, std::atoi(config_value(config, "keep", "3").c_str()));
    if (!options.given("keep-every"))
      policy.every = std::strtoull(config_value(config, "keep-every", "0").c_str(), nullptr, 10);
    if (!options.given("keep-best")) policy.best = config_value(config, "keep-best") == "yes";
  }
  if (!options.finish()) return ExitCode::Done;
  app.alone("checkpoint prune");
  const Path checkpoints = Path(what[0]) / "checkpoints";
  expect_run(what[0]);
  if (list_checkpoints(checkpoints).empty() && had_checkpoints(what[0]))
    refuse_without_checkpoint(what[0], "");
  std::vector<std::string> gone;
  if (dry_run) {
    const auto found = survey(checkpoints, policy.best);
    for (const std::size_t i : to_delete(found, policy)) gone.push_back(folder_name(found[i].id));
  } else {
    const FolderLock lock(what[0], {.thing = "removing checkpoints of",
                                    .work = "facemae checkpoint prune",
                                    .otherwise = "leave it to that one",
                                    .name = "prune.lock"});
    for (const auto& id : apply_retention(real_files(), checkpoints, policy, {}, {}))
      gone.push_back(folder_name(id));
  }
  for (const auto& name : gone) fmt::print("{} {}\n", dry_run ? "would remove" : "removed", name);
  if (gone.empty()) fmt::print("nothing to remove\n");
  app.result({{"removed", gone}, {"dry_run", dry_run}});
  return ExitCode::Done;
}

}  // namespace facemae
