// facemae checkpoint VERB: looks at the checkpoints of a run, also while it trains; and its
// verbs list and show.
#include <cstdio>

#include "app/train/checkpoint_verbs.h"
#include "checkpoint/history/catalogue.h"
#include "checkpoint/tensors/restore.h"
#include "checkpoint/tensors/weights.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store/people_key.h"
#include "trainer/input/training_identities.h"

namespace facemae {
namespace {

std::string name_of(const CheckpointFacts& facts) { return facts.folder.path.filename().string(); }

nlohmann::ordered_json json_of(const CheckpointFacts& facts) {
  nlohmann::ordered_json json = {{"name", name_of(facts)},       {"path", facts.folder.path.string()},
                                 {"step", facts.folder.id.step}, {"start", facts.folder.id.start},
                                 {"state", facts.state},         {"verified", facts.verified}};
  if (!facts.reason.empty()) json["reason"] = facts.reason;
  if (facts.time > 0) json["time"] = utc_text(facts.time);
  if (!facts.manifest) return json;
  const Manifest& manifest = *facts.manifest;
  json["samples"] = manifest.samples;
  json["world"] = manifest.world;
  json["bytes"] = facts.bytes();
  json["root"] = manifest.root.hex();
  if (manifest.parent) json["parent"] = folder_name(*manifest.parent);
  if (manifest.metric) json["metric"] = *manifest.metric;
  return json;
}

ExitCode checkpoint_list(App& app, Words words) {
  std::vector<std::string> what;
  Options options("Lists the checkpoints of a run, newest first.", "checkpoint list RUN [OPTIONS]");
  options.positional("RUN", what, "the run", 1).at_most(1);
  options.epilogue(
      "States: valid; damaged (with the reason); unreadable (the storage does not answer); left (a branch that no start "
      "continues); unfinished (no COMMIT).\n"
      "\"verified\": the checkpoint was read back from the storage after it was written. Files are not read here: checkpoint verify does.\n"
      "Ends with 93 when there are or were commits and none is valid.");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("checkpoint list");
  const Path run = what[0];
  expect_run(run);
  const auto all = catalogue(run);
  auto json = nlohmann::ordered_json::array();
  bool any = false, valid = false;
  if (!all.empty())
    fmt::print("{:<18} {:>11} {:>14} {:>6} {:>10}  {:<20} {:<10} {}\n", "checkpoint", "step", "samples",
               "ranks", "bytes", "committed", "state", "");
  for (const auto& facts : all) {
    json.push_back(json_of(facts));
    any = any || facts.folder.committed;
    valid = valid || facts.state == "valid" || facts.state == "unreadable";
    const Manifest manifest = facts.manifest.value_or(Manifest{});
    std::string note = facts.verified ? "verified" : facts.reason;
    if (manifest.metric) note += fmt::format("{}metric {:.4f}", note.empty() ? "" : ", ", *manifest.metric);
    fmt::print("{:<18} {:>11} {:>14} {:>6} {:>10}  {:<20} {:<10} {}\n", name_of(facts), facts.folder.id.step,
               human_count(manifest.samples), manifest.world, human_bytes(facts.bytes()),
               facts.time > 0 ? utc_text(facts.time) : "-", facts.state, note);
  }
  app.result({{"run", run.string()}, {"checkpoints", json}});
  if (any) return valid ? ExitCode::Done : ExitCode::DoNotRequeue;
  if (had_checkpoints(run)) refuse_without_checkpoint(run, "");
  fmt::print("no checkpoint yet\n");
  return ExitCode::Done;
}

ExitCode checkpoint_show(App& app, Words words) {
  std::vector<std::string> what;
  bool tensors = false, config = false;
  Options options("Shows what a checkpoint holds.", "checkpoint show RUN_OR_CHECKPOINT [OPTIONS]");
  options
      .positional("RUN_OR_CHECKPOINT", what,
                  "a run (its newest valid checkpoint), or RUN/checkpoints/sNNN.aNN", 1)
      .at_most(1);
  options.group("Show")
      .flag("tensors", tensors, "list the tensors as well")
      .flag("configuration", config, "print the configuration of the run as well");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  app.alone("checkpoint show");
  const Path folder = checkpoint_of(what[0]);
  const Manifest manifest = parse_manifest(valid_manifest_bytes(folder));
  const auto line = [](const char* key, const std::string& value) { fmt::print("{:<16} {}\n", key, value); };
  std::uint64_t bytes = 0;
  for (const auto& file : manifest.files) bytes += file.bytes;
  line("checkpoint", folder.string());
  line("step", std::to_string(manifest.id.step));
  line("start", std::to_string(manifest.id.start));
  line("continues", manifest.parent ? folder_name(*manifest.parent) : "nothing");
  line("samples", human_count(manifest.samples));
  line("model", manifest.model_hash);
  line("root", manifest.root.hex());
  line("files", fmt::format("{}, {}", manifest.files.size(), human_bytes(bytes)));
  line("tensors", std::to_string(manifest.tensors.size()));
  line("made by",
       fmt::format("{} ranks, {} threads each, {}", manifest.world, manifest.threads, manifest.cpu));
  for (const auto& [name, version] : manifest.software) line(name.c_str(), version);
  line("data digest", manifest.dataset_digest);
  line("run state", manifest.run_state);
  nlohmann::ordered_json identities = nullptr;  // none were noted
  for (const auto& tensor : manifest.tensors) {
    if (tensor.name != kTrainingIdentities) continue;
    const IdentityFacts facts = facts_of(read_tensor(folder, manifest, tensor));
    identities = {{"keyed", facts.keyed}, {"names", facts.names}};
    line(
        "trained on",
        facts.keyed
            ? fmt::format(
                  "{} identities, as keyed hashes of their names in {}: only who has the store's {} can try names on them",
                  facts.names, kTrainingIdentities, kPeopleKeyName)
            : fmt::format(
                  "{} identities, as hashes without a key in {} (an older version made them): anybody can try names on them, do not publish this checkpoint",
                  facts.names, kTrainingIdentities));
  }
  nlohmann::ordered_json json = {
      {"path", folder.string()},           {"step", manifest.id.step},
      {"start", manifest.id.start},        {"samples", manifest.samples},
      {"root", manifest.root.hex()},       {"model", manifest.model_hash},
      {"world", manifest.world},           {"bytes", bytes},
      {"training_identities", identities}, {"tensors", nlohmann::ordered_json::object()}};
  for (const auto& tensor : manifest.tensors) {
    json["tensors"][tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"by_class", tensor.by_class}};
    if (tensors)
      fmt::print("  {} {} [{}]{}\n", tensor.name, tensor.dtype, fmt::join(tensor.shape, ", "),
                 tensor.by_class ? " by class" : "");
  }
  if (config) fmt::print("{}", manifest.config);
  app.result(json);
  return ExitCode::Done;
}

constexpr Verb kVerbs[] = {
    {"list", "list the checkpoints of a run: step, size, state", checkpoint_list},
    {"show", "show step, tensors, versions and configuration of a checkpoint", checkpoint_show},
    {"verify", "read every byte and compare every hash", checkpoint_verify},
    {"diff", "compare two checkpoints bit for bit and name what differs", checkpoint_diff},
    {"prune", "remove old checkpoints by the run's own rule", checkpoint_prune},
};

}  // namespace

ExitCode run_checkpoint(App& app, Words words) {
  return run_verb(app, words,
                  {.command = "checkpoint",
                   .summary = "looks at the checkpoints of a run, also while it trains",
                   .subject = "RUN",
                   .verbs = kVerbs,
                   .epilogue = "Examples:  facemae checkpoint list runs/mae\n"
                               "           facemae checkpoint verify runs/mae --all\n"
                               "           facemae checkpoint diff runs/mae runs/mae-on-other-ranks\n"});
}

}  // namespace facemae
