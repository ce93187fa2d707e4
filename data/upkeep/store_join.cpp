#include "data/upkeep/store_join.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/store/manifest.h"
#include "data/store/shard_file.h"
#include "data/upkeep/finished_shard.h"

namespace facemae {
namespace {

using Stores = std::span<const std::shared_ptr<const Store>>;

bool has_names(const Store& store) { return store.identities() > 0 && !store.identity_name(0).empty(); }

void check_alike(Stores stores) {
  std::set<Hash128> seen;
  for (const auto& store : stores) {
    if (store->image_size() != stores.front()->image_size())
      throw ConfigError(fmt::format(
          "joining stores: the images of {} are {} x {}, those of {} {} x {}: pack one of them anew with --resize",
          stores.front()->folder().string(), stores.front()->image_size(), stores.front()->image_size(),
          store->folder().string(), store->image_size(), store->image_size()));
    if (!seen.insert(store->dataset_digest()).second)
      throw ConfigError("joining stores: " + store->folder().string() +
                        " has the digest of another one of them: its images would be there twice");
  }
}

/// The licences, each once.
std::string licence_of(Stores stores) {
  std::vector<std::string> licences;
  for (const auto& store : stores) {
    const std::string licence = store->source_licence().empty() ? "not stated" : store->source_licence();
    if (std::find(licences.begin(), licences.end(), licence) == licences.end()) licences.push_back(licence);
  }
  return join(licences, "; ");
}

/// A store that is being made of several.
class Joining {
 public:
  Joining(FileSystem& files, Stores stores, const JoinPlan& plan, const Path& out, bool show_progress)
      : files_(files), stores_(stores), plan_(plan), out_(out), show_progress_(show_progress) {
    std::string parts;
    nlohmann::json digests = nlohmann::json::array();
    for (const auto& store : stores_) {
      parts += store->dataset_digest().hex();
      digests.push_back(store->dataset_digest().hex());
      for (const ShardInfo& shard : store->shards()) shard_images_ = std::max(shard_images_, shard.images);
    }
    manifest_.released = std::all_of(stores_.begin(), stores_.end(), [](auto& s) { return s->released(); });
    if (!manifest_.released) manifest_.pack_settings = nlohmann::json{{"joined_from", digests}}.dump();
    for (const auto& labels : plan_.label_of)
      for (const std::int64_t label : labels) parts += std::to_string(label) + ",";
    for (const auto& name : plan_.names) parts += name + "\n";
    manifest_.uuid = xxh128(bytes_of(parts)).hex();
    manifest_.image_size = stores_.front()->image_size();
    manifest_.identities = plan_.identities;
    manifest_.identity_names = plan_.names;
    manifest_.source_licence = licence_of(stores_);
    for (const auto& store : stores_) {
      images_ += store->size();
      shards_ += (store->size() + shard_images_ - 1) / shard_images_;
    }
  }

  /// Throws ConfigError when another store is in the folder.
  bool is_done() const {
    if (!std::filesystem::exists(out_ / kManifestName)) return false;
    if (read_manifest(out_).uuid == manifest_.uuid) return true;
    throw ConfigError("joining stores into " + out_.string() +
                      ": another store is there; remove it or choose another --out");
  }

  void run() {
    make_folders(files_, out_);
    Progress progress("joining", images_, "images", show_progress_);
    for (std::size_t s = 0; s < stores_.size(); ++s)
      for (std::uint64_t first = 0; first < stores_[s]->size(); first += shard_images_) {
        const std::uint64_t last = std::min(stores_[s]->size(), first + shard_images_);
        add_shard(s, first, last);
        progress.advance(last - first);
      }
    progress.finish();
    complete_manifest(manifest_, labels_);
    write_manifest(files_, out_, manifest_);
  }

 private:
  void add_shard(std::size_t s, std::uint64_t first, std::uint64_t last) {
    const Store& store = *stores_[s];
    ShardContent content;
    content.uuid = manifest_.uuid;
    content.shard = manifest_.shards.size();
    content.shards = shards_;
    content.image_size = manifest_.image_size;
    for (std::uint64_t row = first; row < last; ++row) {
      const std::int64_t label = store.label(row);
      content.labels.push_back(label < 0 ? -1 : plan_.label_of[s][static_cast<std::size_t>(label)]);
    }
    labels_.insert(labels_.end(), content.labels.begin(), content.labels.end());
    if (const Path path = out_ / shard_name(content.shard); is_finished_shard(path, content)) {
      manifest_.shards.push_back(read_shard(path).info);
      return;
    }
    std::vector<std::vector<std::byte>> images(last - first);
    for (std::uint64_t row = first; row < last; ++row) {
      try {
        store.read(row, images[row - first]);
      } catch (const DataError& error) {
        throw DataError(fmt::format(
            "joining: {}; `facemae store remove {} --images FILE` with the line {} makes a view without it",
            error.what(), store.folder().string(), row));
      }
    }
    content.images = images;
    manifest_.shards.push_back(write_shard(files_, out_, content));
  }

  FileSystem& files_;
  const Stores stores_;
  const JoinPlan& plan_;
  const Path out_;
  const bool show_progress_;
  StoreManifest manifest_;
  std::uint64_t images_ = 0, shards_ = 0, shard_images_ = 1;
  std::vector<std::int64_t> labels_;
};

}  // namespace

JoinPlan plan_join(Stores stores, const JoinConfig& config) {
  const auto named = static_cast<std::size_t>(
      std::count_if(stores.begin(), stores.end(), [](const auto& store) { return has_names(*store); }));
  const bool prefixed = !config.prefixes.empty();
  if (prefixed && config.prefixes.size() != stores.size())
    throw ConfigError(fmt::format("joining {} stores: {} prefixes were given, one for each store is needed",
                                  stores.size(), config.prefixes.size()));
  if (!prefixed && named > 0 && named < stores.size())
    throw ConfigError(fmt::format(
        "joining stores: {} of {} have names of identities, and the others (released ones) have none; --prefix A B ... names those of each store A/NAME, or A/LABEL",
        named, stores.size()));
  if (config.same_people && named < stores.size())
    throw ConfigError(
        "joining stores: --same-people goes by names, and released stores have none: whose they are is secret");
  struct Owner {
    std::int64_t label;
    std::size_t store;
    bool shared = false;
  };
  std::unordered_map<std::string, Owner> owners;
  JoinPlan plan;
  for (std::size_t s = 0; s < stores.size(); ++s) {
    const Store& store = *stores[s];
    plan.label_of.emplace_back();
    for (std::int64_t label = 0; label < store.identities(); ++label) {
      std::string name = store.identity_name(label);
      if (prefixed) name = config.prefixes[s] + "/" + (name.empty() ? std::to_string(label) : name);
      if (!name.empty()) {
        const auto [owner, is_new] = owners.try_emplace(name, Owner{plan.identities, s});
        if (!is_new && owner->second.store != s) {
          if (!config.same_people)
            throw ConfigError(fmt::format(
                "joining stores: {} and {} both have the identity \"{}\"; if it is one person, --same-people joins the images of equal names, otherwise --prefix A B ... keeps the stores apart",
                stores[owner->second.store]->folder().string(), store.folder().string(), name));
          if (!std::exchange(owner->second.shared, true)) ++plan.shared;
          plan.label_of.back().push_back(owner->second.label);
          continue;
        }
        plan.names.push_back(std::move(name));
      }
      plan.label_of.back().push_back(plan.identities++);
    }
  }
  return plan;
}

JoinPlan join_stores(FileSystem& files, const std::vector<Path>& folders, const Path& out,
                     const JoinConfig& config) {
  std::vector<std::shared_ptr<const Store>> stores;
  stores.reserve(folders.size());
  for (const Path& folder : folders) stores.push_back(Store::open(folder));
  if (stores.size() < 2) throw ConfigError("joining stores: at least two are needed");
  check_alike(stores);
  JoinPlan plan = plan_join(stores, config);
  Joining joining(files, stores, plan, out, config.show_progress);
  if (!joining.is_done()) joining.run();
  return plan;
}

}  // namespace facemae
