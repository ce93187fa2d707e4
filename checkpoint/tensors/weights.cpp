#include "checkpoint/tensors/weights.h"

#include <algorithm>

#include "checkpoint/format/finite.h"
#include "checkpoint/format/foreign_weights.h"
#include "checkpoint/format/reader.h"
#include "checkpoint/history/catalogue.h"
#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/tensors/pytorch.h"
#include "checkpoint/tensors/restore.h"
#include "checkpoint/tensors/state.h"
#include "checkpoint/tensors/wrappers.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::string_view kModelPrefix = "model.", kClassCentres = "centres";

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

torch::Tensor centres_from_checkpoint(const Path& folder, const std::string& origin) {
  const Manifest manifest = parse_manifest(valid_manifest_bytes(folder));
  for (const auto& tensor : manifest.tensors)
    if (tensor.by_class && tensor.name == kClassCentres) return read_tensor(folder, manifest, tensor);
  throw ConfigError(origin + " has no class centres: only runs of `facemae recognize` have");
}

/// What `read` makes of the newest valid checkpoint.
template <class Read>
auto from_run(const Path& run, Read read) {
  std::string reasons;
  const auto folders = list_checkpoints(run / "checkpoints");
  const Lineage lineage = read_lineage(run / "checkpoints", folders);
  for (const auto& folder : folders) {
    if (!folder.committed || !lineage.counts(folder.id)) continue;
    try {
      return read(folder.path, "run " + run.string());
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

/// "RUN/" is RUN.
Path without_slash(const Path& given) {
  const Path path = given.lexically_normal();
  return path.has_filename() || !path.has_parent_path() ? path : path.parent_path();
}

bool is_run(const Path& path) { return std::filesystem::is_directory(path / "checkpoints"); }
bool is_checkpoint(const Path& path) {
  return parse_folder_name(path.filename().string()) && std::filesystem::is_directory(path);
}

Weights from_file(const Path& file) {
  Weights weights;
  weights.tensors = is_torch_archive(file) ? without_wrappers(TorchFile(file).state_dict())
                                           : read_safetensors(file, &weights.metadata);
  weights.origin = file.string();
  weights.hash = hash_of(weights.tensors);
  return sound(std::move(weights));
}

}  // namespace

Weights read_weights(const Path& given) {
  const Path path = without_slash(given);
  if (is_run(path)) return from_run(path, from_checkpoint);
  if (is_checkpoint(path)) return from_checkpoint(path, path.string());
  const std::string foreign = is_torch_archive(path) ? "" : foreign_weights(path);
  if (!foreign.empty()) throw ConfigError("reading weights: " + path.string() + " " + foreign);
  if (!std::filesystem::is_regular_file(path))
    throw ConfigError(
        "reading weights from " + given.string() +
        ": expected a run, a checkpoint folder of one (sNNN.aNN), a safetensors file or one of PyTorch");
  return from_file(path);
}

torch::Tensor read_class_centres(const Path& given) {
  const Path path = without_slash(given);
  if (is_run(path)) return from_run(path, centres_from_checkpoint);
  if (is_checkpoint(path)) return centres_from_checkpoint(path, path.string());
  throw ConfigError("reading class centres from " + given.string() +
                    ": expected a run, or a checkpoint folder of one (sNNN.aNN)");
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
