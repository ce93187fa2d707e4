#pragma once
// What stores of shards and views have in common: everything that the manifest alone can answer.
#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/log.h"
#include "data/store/manifest.h"
#include "data/store/manifest_arrays.h"

namespace facemae {

class ManifestStore : public Store {
 public:
  ManifestStore(Path folder, StoreManifest manifest)
      : folder_(std::move(folder)), manifest_(std::move(manifest)) {}
  const Path& folder() const noexcept override { return folder_; }
  std::uint64_t size() const noexcept override { return manifest_.images; }
  std::int64_t identities() const noexcept override { return manifest_.identities; }
  std::string identity_name(std::int64_t label) const override { return identities_file().name(label); }
  int image_size() const noexcept override { return manifest_.image_size; }
  const std::vector<ShardInfo>& shards() const noexcept override { return manifest_.shards; }
  Hash128 dataset_digest() const noexcept override { return manifest_.dataset_digest; }
  std::string source_licence() const override { return manifest_.source_licence; }
  bool released() const noexcept override { return manifest_.released; }
  std::span<const std::uint64_t> rows_of(std::int64_t label) const override {
    return identities_file().rows_of(label);
  }

 protected:
  void check_row(std::uint64_t row) const {
    if (row >= manifest_.images)
      throw Error(fmt::format("there is no row {} in the store {}, which has {} images", row,
                              folder_.string(), manifest_.images));
  }
  Path folder_;
  StoreManifest manifest_;

 private:
  /// Read on first use: training needs neither names nor rows.
  const Identities& identities_file() const {
    if (const Identities* read = read_.load(std::memory_order_acquire)) return *read;
    const std::scoped_lock lock(mutex_);
    if (!identities_) identities_ = Identities::read(folder_, manifest_);
    read_.store(&*identities_, std::memory_order_release);
    return *identities_;
  }
  mutable std::mutex mutex_;
  mutable std::optional<Identities> identities_;
  mutable std::atomic<const Identities*> read_ = nullptr;
};

}  // namespace facemae
