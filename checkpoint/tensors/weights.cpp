#include "checkpoint/tensors/weights.h"

#include <algorithm>

#include "checkpoint/format/finite.h"
#include "checkpoint/format/foreign_weights.h"
#include "checkpoint/format/reader.h"
#include "checkpoint/history/catalogue.h"
#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/tensors/restore.h"
#include "checkpoint/tensors/state.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::string_view kModelPrefix = "model.";

std::string hash_of(const NamedTensors& tensors) {
  std::vector<const NamedTensors::value_type*> sorted;
  for (const auto& tensor : tensors) sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->first < b->first; });
  Hasher hasher;
  for (const auto* tensor : sorted) {
    const auto& [name, value] = *tensor;
    hasher.add(bytes_of(name));
    hasher.add_value('\0');
    hasher.add(bytes_of(safetensors_type(value.scalar_type(), name)));
    hasher.add_value('\0');
    hasher.add_value(static_cast<std::int64_t>(value.dim()));
    for (const std::int64_t n : value.sizes()) hasher.add_value(n);
    hasher.add(bytes_of(bytes_on_cpu(value, {0, value.nbytes()})));
  }
  return hasher.digest().hex();
}

/// The one check for every command that takes weights.
Weights sound(Weights weights) {
  std::vector<std::string> names;
  for (const auto& [name, value] : weights.tensors)
    if (!all_finite(value)) names.push_back(name);
  if (names.empty()) return weights;
  throw DataError(fmt::format(
      "{}: {} of {} tensors hold values that are not finite ({}): these are the weights of a training that diverged, and nothing can be made from them. "
      "Take an earlier checkpoint (RUN/checkpoints/sNNN.aNN), or train again",
      weights.origin, names.size(), weights.tensors.size(), first_of(names)));
}

Weights from_checkpoint(const Path& folder, const std::string& origin) {
  const Manifest manifest = parse_manifest(valid_manifest_bytes(folder));
  Weights weights;
  for (const auto& tensor : manifest.tensors)
    if (!tensor.by_class && tensor.name.starts_with(kModelPrefix))
      weights.tensors.emplace_back(tensor.name.substr(kModelPrefix.size()),
                                   read_tensor(folder, manifest, tensor));
  for (const auto& tensor : manifest.tensors)
    if (tensor.name == kTrainingIdentities)
      weights.training_identities = read_tensor(folder, manifest, tensor);
  if (weights.tensors.empty())
    throw ConfigError("the checkpoint " + folder.string() +
                      " holds no model weights (names that start with \"model.\")");
  weights.config = manifest.config;
  weights.origin = fmt::format("{}, step {}", origin, manifest.id.step);
  weights.hash = hash_of(weights.tensors);
  return sound(std::move(weights));
}

Weights from_run(const Path& run) {
  std::string reasons;
  const auto folders = list_checkpoints(run / "checkpoints");
  const Lineage lineage = read_lineage(run / "checkpoints", folders);
  for (const auto& folder : folders) {
    if (!folder.committed || !lineage.counts(folder.id)) continue;
    try {
      return from_checkpoint(folder.path, "run " + run.string());
    } catch (const UnreadableCheckpoint&) {
      throw;  // older weights in its place would not be those that were requested
    } catch (const CheckpointError& error) {
      spdlog::warn("checkpoint {} is corrupt, reading the one before it: {}", folder.path.string(),
                   error.what());
      reasons += "\n  " + folder.path.filename().string() + ": " + error.what();
    }
  }
  refuse_without_checkpoint(run, reasons);
}

}  // namespace

Weights read_weights(const Path& given) {
  Path path = given.lexically_normal();
  if (!path.has_filename() && path.has_parent_path()) path = path.parent_path();  // "RUN/"
  if (std::filesystem::is_directory(path / "checkpoints")) return from_run(path);
  if (parse_folder_name(path.filename().string()) && std::filesystem::is_directory(path))
    return from_checkpoint(path, path.string());
  const std::string foreign = foreign_weights(path);
  if (!foreign.empty()) throw ConfigError("reading weights: " + path.string() + " " + foreign);
  if (!std::filesystem::is_regular_file(path))
    throw ConfigError("reading weights from " + given.string() +
                      ": expected a run, a checkpoint folder of one (sNNN.aNN) or a safetensors file");
  Weights weights;
  weights.tensors = read_safetensors(path, &weights.metadata);
  weights.origin = path.string();
  weights.hash = hash_of(weights.tensors);
  return sound(std::move(weights));
}

std::string config_value(const std::string& config, const std::string& key, const std::string& fallback) {
  for (const auto& line : split(config, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string::npos || trim(line)[0] == '#' || trim(line.substr(0, equals)) != key) continue;
    return trim(line.substr(equals + 1));
  }
  return fallback;
}

}  // namespace facemae
