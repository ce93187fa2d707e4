#pragma once
// A selection of another store's rows with labels of its own; holds no images.
#include "data/store/manifest_chain.h"
#include "data/store/manifest_store.h"

namespace facemae {

class ViewStore final : public ManifestStore {
 public:
  /// Throws DataError: damaged, or not a view of `parent`.
  ViewStore(ChainLink link, std::shared_ptr<const Store> parent, SealCheck check);
  const std::vector<ShardInfo>& shards() const noexcept override { return parent_->shards(); }
  std::int64_t label(std::uint64_t row) const override;
  void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures& figures) const override {
    parent_->fetch(parent_row(row), encoded, figures);
  }
  bool read_rows(std::vector<std::uint64_t> rows, RowBlock& block, ReadFigures& figures) const override;
  bool intact(std::uint64_t row, Bytes encoded) const override {
    return parent_->intact(parent_row(row), encoded);
  }
  std::size_t shard_of(std::uint64_t row) const override { return parent_->shard_of(parent_row(row)); }
  Path shard_folder() const override { return parent_->shard_folder(); }
  void add_replica(std::size_t shard, const Path& file) const override { parent_->add_replica(shard, file); }

 private:
  std::uint64_t parent_row(std::uint64_t row) const {
    check_row(row);
    return manifest_.rows[row];
  }
  std::shared_ptr<const Store> parent_;
};

}  // namespace facemae
