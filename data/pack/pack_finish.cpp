#include "data/pack/pack_finish.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/fields.h"
#include "core/log.h"
#include "core/text.h"
#include "data/pack/pack_duplicates.h"
#include "data/pack/spill.h"
#include "data/store/manifest.h"
#include "data/store/shard_file.h"

namespace facemae {
namespace {

using Rejects = std::map<std::uint64_t, std::string>;

void write_rejects(const ImageSource& source, const PackConfig& config, FileSystem& files,
                   const Rejects& rejects) {
  std::string text = "source,reason\n";
  for (const auto& [entry, reason] : rejects)
    text += csv_field(source.name(entry)) + "," + csv_field(reason) + "\n";
  write_durably(files, config.out / "rejects.csv", text);
}

void write_duplicates(const ImageSource& source, const PackConfig& config, FileSystem& files,
                      const std::vector<Duplicate>& duplicates) {
  std::string text = "source,same_as\n";
  for (const auto& [entry, original] : duplicates)
    text += csv_field(source.name(entry)) + "," + csv_field(source.name(original)) + "\n";
  write_durably(files, config.out / "duplicates.csv", text);
}

std::map<std::string, std::uint64_t> counts_by_reason(const Rejects& rejects) {
  std::map<std::string, std::uint64_t> counts;
  for (const auto& [entry, reason] : rejects) ++counts[kind_of_reject(reason)];
  return counts;
}

/// Adds what a shard's index says; appends its labels to `labels`.
void add_shard(const ShardIndex& index, PackResult& result, std::vector<std::int64_t>& labels) {
  for (std::size_t i = 0; i < index.crcs.size(); ++i) {
    const std::uint64_t bytes = index.offsets[i + 1] - index.offsets[i];
    result.smallest = result.largest == 0 ? bytes : std::min(result.smallest, bytes);
    result.largest = std::max(result.largest, bytes);
  }
  result.images += index.info.images;
  result.bytes += index.info.bytes;
  ++result.shards;
  labels.insert(labels.end(), index.labels.begin(), index.labels.end());
}

/// Reads a shard under its final name: after this nothing else is checked before the manifest says that
/// all is well.
ShardIndex published(const Journal& journal, const PackConfig& config, FileSystem& files,
                     std::uint64_t shard) {
  const Path final = config.out / shard_name(shard);
  if (const Path waiting = journal.path_of(shard); waiting != final) files.rename(waiting, final);
  ShardIndex index = read_shard(final);
  if (index.info.index_digest != journal.shard(shard).info.index_digest)
    throw DataError(final.string() + " is not the shard that was noted; run the same command again");
  return index;
}

/// The smallest fraction of two digits that allows this many.
std::string fraction_for(std::uint64_t rejects, std::uint64_t images) {
  const double fraction = static_cast<double>(rejects) / static_cast<double>(images);
  const double step = std::pow(10, std::floor(std::log10(fraction)) - 1);
  return fmt::format("{:.2g}", std::min(1.0, std::ceil(fraction / step - 1e-9) * step));
}

}  // namespace

Rejects known_rejects(const Journal& journal, const PackPlan& plan) {
  Rejects all;
  for (const std::uint64_t shard : journal.finished_shards())
    for (auto& reject : journal.shard(shard).rejects) all.emplace(reject.entry, std::move(reject.reason));
  for (auto& reject : journal.rejects_of_halted()) all.emplace(reject.entry, std::move(reject.reason));
  for (auto& [entry, reason] : Spill(journal, plan, {}).rejects()) all.emplace(entry, reason);
  return all;
}

void require_few_rejects(const ImageSource& source, const PackConfig& config, const PackPlan& plan,
                         FileSystem& files, const Journal& journal) {
  const Rejects rejects = known_rejects(journal, plan);
  const bool none_left =
      rejects.size() >= plan.entries;  // whatever the policy allows: that would be no store
  if (rejects.size() <= plan.allowed_rejects && !none_left) return;
  write_rejects(source, config, files, rejects);
  std::vector<std::string> counts, examples;
  bool sizes = false;
  for (const auto& [reason, count] : counts_by_reason(rejects)) {
    counts.push_back(fmt::format("{} {}", human_count(count), reason));
    sizes = sizes || reason == "another size";
  }
  for (const auto& [entry, reason] : rejects)
    if (examples.size() < 3) examples.push_back(source.name(entry) + ": " + reason);
  throw DataError(fmt::format(
      "packing into {}: {} of {} images cannot be used, {} ({}); {}. All found so far are listed in {}. "
      "What was made is kept: mend the images and run the same command again{}{}{}",
      config.out.string(), human_count(rejects.size()), human_count(plan.entries),
      none_left ? "which leaves none for a store"
                : fmt::format("more than --max-reject-fraction {} allows", config.max_reject_fraction),
      join(counts, ", "), join(examples, "; "), (config.out / "rejects.csv").string(),
      source.archives() > 0 ? fmt::format(" (for archives: after removing {}, so that they are read again)",
                                          journal.folder().string())
                            : "",
      none_left ? ""
                : fmt::format(", or run it with --max-reject-fraction {} or more to continue",
                              fraction_for(rejects.size(), plan.entries)),
      sizes ? ". To re-encode other sizes, pack with --resize into another --out" : ""));
}

PackResult finish_pack(const ImageSource& source, const PackConfig& config, const PackPlan& plan,
                       FileSystem& files, const Journal& journal, int ranks) {
  const Rejects rejects = known_rejects(journal, plan);
  const auto duplicates = found_duplicates(journal, ranks);
  write_rejects(source, config, files, rejects);
  write_duplicates(source, config, files, duplicates);
  StoreManifest manifest;
  manifest.uuid = plan.uuid;
  manifest.image_size = plan.image_size;
  manifest.identities = static_cast<std::int64_t>(source.identities());
  manifest.identity_names = source.identity_names();
  manifest.source_licence = config.source_licence;
  manifest.ingest_seed = config.seed;
  manifest.pack_settings = plan.asked;
  manifest.rejects = rejects.size();
  manifest.duplicates = duplicates.size();
  PackResult result;
  std::vector<std::int64_t> labels;
  labels.reserve(plan.entries);
  for (std::uint64_t shard = 0; shard < plan.shards(); ++shard) {
    const ShardIndex index = published(journal, config, files, shard);
    add_shard(index, result, labels);
    manifest.shards.push_back(index.info);
  }
  files.sync_folder(config.out);
  complete_manifest(manifest, labels);
  write_manifest(files, config.out, manifest);
  Journal::remove(files, config.out);
  result.rejects = manifest.rejects;
  result.duplicates = manifest.duplicates;
  result.rejects_by_reason = counts_by_reason(rejects);
  result.identities = manifest.identities;
  return result;
}

PackResult figures_of_finished(const PackConfig& config, const PackPlan& plan, FileSystem& files) {
  const StoreManifest manifest = read_manifest(config.out);
  if (manifest.pack_settings.empty())
    throw ConfigError("packing into " + config.out.string() +
                      ": it is a released store or a view; use another --out");
  require_same_settings(manifest.pack_settings, plan.settings, config.out);
  Journal::remove(files, config.out);  // left by a start that was killed after writing the manifest
  PackResult result;
  std::vector<std::int64_t> labels;
  for (const auto& shard : manifest.shards) {
    add_shard(read_shard(config.out / shard.file), result, labels);
    labels.clear();
  }
  result.rejects = manifest.rejects;
  result.duplicates = manifest.duplicates;
  result.resumed_shards = result.shards;
  result.resumed_images = result.images;
  result.identities = manifest.identities;
  return result;
}

}  // namespace facemae
