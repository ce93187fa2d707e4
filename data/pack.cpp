#include "data/pack.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <unordered_set>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/journal.h"
#include "data/jpeg_markers.h"
#include "data/manifest.h"
#include "data/pack_plan.h"
#include "data/shard_file.h"

namespace facemae {
namespace {

constexpr const char* kRejectsName = "rejects.csv";

/// Reads and decodes entries on several threads; the result is in their order. The calling thread is one of
/// them and the one that reports progress.
std::vector<PreparedImage> check_images(const ImageSource& source, const PackPlan& plan,
                                        const PackConfig& config, const std::vector<std::size_t>& entries,
                                        Progress& progress) {
  std::vector<PreparedImage> images(entries.size());
  std::atomic<std::size_t> next{0}, done{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&](const std::function<void()>& after_each) {
    try {
      ImageChecker checker(source, plan.image_size, config.resize);
      for (std::size_t i; (i = next.fetch_add(1)) < entries.size();) {
        images[i] = checker.check(entries[i]);
        done.fetch_add(1);
        after_each();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = entries.size();
    }
  };
  std::size_t reported = 0;
  const auto report = [&] {
    const std::size_t now = done.load();
    progress.advance(now - reported);
    reported = now;
  };
  {
    std::vector<std::jthread> helpers;
    for (int t = 1; t < config.threads; ++t) helpers.emplace_back([&] { work([] {}); });
    work(report);
  }
  if (failure) std::rethrow_exception(failure);
  report();
  return images;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + "\"";
}

/// One pack into one folder.
class Packing {
 public:
  Packing(const ImageSource& source, const PackConfig& config, const PackPlan& plan, FileSystem& files)
      : source_(source),
        config_(config),
        plan_(plan),
        files_(files),
        journal_(files, config.out, plan.settings),
        progress_("packing", plan.entries, "images", config.show_progress) {}

  PackResult run() {
    require_space_for_rest();
    for (std::uint64_t shard = 0; shard < plan_.shards(); ++shard) {
      if (!take_finished(shard)) make(shard);
      require_few_rejects();
    }
    progress_.finish();
    finish();
    return result_;
  }

 private:
  void require_space_for_rest() const {
    const std::uint64_t rest =
        plan_.shards() - std::min<std::uint64_t>(journal_.shards().size(), plan_.shards());
    const std::uint64_t per_image =
        plan_.mean_bytes + plan_.mean_bytes / 20 + 48;  // 29 of index, 16 in the manifest
    require_space(std::filesystem::space(config_.out).available,
                  std::min(rest * plan_.images_per_shard, plan_.entries) * per_image + rest * (1 << 20),
                  config_.out);
  }

  /// A shard that an earlier start finished, read back in full: its bytes are checked, and duplicates of them
  /// counted.
  bool take_finished(std::uint64_t shard) {
    const auto at = journal_.shards().find(shard);
    if (at == journal_.shards().end()) return false;
    const Path path = config_.out / shard_name(shard);
    std::vector<std::uint64_t> hashes;
    ShardIndex index;
    try {
      index = read_shard(path);
      if (index.info.index_digest != at->second.info.index_digest) throw DataError("its index is another");
      const InputFile file(path);
      std::vector<std::byte> image;
      for (std::size_t i = 0; i < index.crcs.size(); ++i) {
        image.resize(index.offsets[i + 1] - index.offsets[i]);
        file.read_at(index.info.blob_offset + index.offsets[i], image);
        if (crc32c(image) != index.crcs[i]) throw DataError(fmt::format("image {} is damaged", i));
        hashes.push_back(xxh64(image));
      }
    } catch (const Error& error) {
      spdlog::warn("{} was finished by an earlier start but cannot be used ({}): it is made again",
                   path.string(), error.what());
      return false;
    }
    for (const std::uint64_t hash : hashes) is_duplicate(hash);
    progress_.start_from(shard * plan_.images_per_shard + index.crcs.size() + at->second.rejects.size());
    ++result_.resumed_shards;
    take(at->second, index.labels.values());
    return true;
  }

  void make(std::uint64_t shard) {
    const auto entries = plan_.entries_of(shard);
    auto checked = check_images(source_, plan_, config_, entries, progress_);
    ShardContent content{.uuid = plan_.uuid,
                         .shard = shard,
                         .shards = plan_.shards(),
                         .image_size = plan_.image_size,
                         .ingest_seed = config_.seed,
                         .images = {},
                         .labels = {},
                         .source_keys = {},
                         .flags = {}};
    std::vector<std::vector<std::byte>> images;
    Journal::Shard done;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string name = source_.name(entries[i]);
      if (!checked[i].reject.empty()) {
        done.rejects.push_back({name, checked[i].reject});
        continue;
      }
      const bool duplicate = is_duplicate(xxh64(checked[i].bytes));
      content.labels.push_back(source_.label(entries[i]));
      content.source_keys.push_back(xxh64(bytes_of(name)));
      content.flags.push_back(static_cast<std::uint8_t>(checked[i].flags | (duplicate ? kFlagDuplicate : 0)));
      images.push_back(std::move(checked[i].bytes));
    }
    content.images = images;
    if (too_many(rejects_.size() + done.rejects.size())) {  // before a shard gets its final name
      rejects_.insert(rejects_.end(), done.rejects.begin(), done.rejects.end());
      require_few_rejects();
    }
    done.info = write_shard(files_, config_.out, content);
    journal_.add(shard, done);
    take(done, content.labels);
  }

  bool is_duplicate(std::uint64_t hash) {
    const bool seen = !hashes_.insert(hash).second;
    result_.duplicates += seen ? 1 : 0;
    return seen;
  }

  void take(const Journal::Shard& shard, const std::vector<std::int64_t>& labels) {
    shards_.push_back(shard.info);
    labels_.insert(labels_.end(), labels.begin(), labels.end());
    rejects_.insert(rejects_.end(), shard.rejects.begin(), shard.rejects.end());
  }

  bool too_many(std::size_t rejects) const {
    return static_cast<double>(rejects) >
           config_.max_reject_fraction * static_cast<double>(plan_.entries) + 1e-9;
  }

  void write_rejects() {
    std::string text = "source,reason\n";
    for (const auto& reject : rejects_) text += quoted(reject.source) + "," + quoted(reject.reason) + "\n";
    write_durably(files_, config_.out / kRejectsName, text);
  }

  void require_few_rejects() {
    if (!too_many(rejects_.size())) return;
    write_rejects();
    for (std::uint64_t shard = 0; shard < plan_.shards(); ++shard)
      for (const char* ending : {"", ".tmp"}) {
        const Path path = (config_.out / shard_name(shard)).string() + ending;
        if (std::filesystem::exists(path)) files_.remove(path);
      }
    Journal::remove(files_, config_.out);
    std::string examples;
    for (std::size_t i = 0; i < std::min<std::size_t>(3, rejects_.size()); ++i)
      examples += fmt::format("; {}: {}", rejects_[i].source, rejects_[i].reason);
    throw DataError(
        fmt::format("packing into {}: {} of {} images cannot be used, more than --max-reject-fraction {} "
                    "allows{}. All are in {}: mend them, or allow more",
                    config_.out.string(), rejects_.size(), plan_.entries, config_.max_reject_fraction,
                    examples, (config_.out / kRejectsName).string()));
  }

  void finish() {
    write_rejects();
    StoreManifest manifest;
    manifest.uuid = plan_.uuid;
    manifest.image_size = plan_.image_size;
    manifest.identities = static_cast<std::int64_t>(source_.identity_names().size());
    manifest.identity_names = source_.identity_names();
    manifest.source_licence = config_.source_licence;
    manifest.ingest_seed = config_.seed;
    manifest.pack_settings = plan_.settings;
    manifest.rejects = rejects_.size();
    manifest.duplicates = result_.duplicates;
    manifest.shards = shards_;
    complete_manifest(manifest, labels_);
    write_manifest(files_, config_.out, manifest);
    Journal::remove(files_, config_.out);
    result_.images = manifest.images;
    for (const auto& shard : shards_) result_.bytes += shard.bytes;
    result_.rejects = manifest.rejects;
    result_.shards = shards_.size();
    result_.identities = manifest.identities;
  }

  const ImageSource& source_;
  const PackConfig& config_;
  const PackPlan& plan_;
  FileSystem& files_;
  Journal journal_;
  Progress progress_;
  PackResult result_;
  std::vector<ShardInfo> shards_;
  std::vector<std::int64_t> labels_;
  std::vector<Reject> rejects_;
  std::unordered_set<std::uint64_t> hashes_;
};

/// The figures of a store that is there already.
PackResult finished(const PackConfig& config, const PackPlan& plan, FileSystem& files) {
  const StoreManifest manifest = read_manifest(config.out);
  if (manifest.pack_settings.empty())
    throw ConfigError("packing into " + config.out.string() +
                      ": it is a released store or a view; use another --out");
  require_same_settings(manifest.pack_settings, plan.settings, config.out);
  Journal::remove(files, config.out);  // left by a start that was killed after writing the manifest
  PackResult result;
  result.images = manifest.images;
  for (const auto& shard : manifest.shards) result.bytes += shard.bytes;
  result.rejects = manifest.rejects;
  result.duplicates = manifest.duplicates;
  result.shards = manifest.shards.size();
  result.resumed_shards = manifest.shards.size();
  result.identities = manifest.identities;
  return result;
}

}  // namespace

PackResult pack(const ImageSource& source, const PackConfig& config, FileSystem& files) {
  const auto start = std::chrono::steady_clock::now();
  const PackPlan plan = plan_pack(source, config);
  PackResult result;
  if (std::filesystem::exists(config.out / kManifestName)) {
    result = finished(config, plan, files);
  } else {
    make_folders(files, config.out);
    result = Packing(source, config, plan, files).run();
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace facemae
