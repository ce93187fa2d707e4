#pragma once
// A run of insightface's arcface_torch, of any number of GPUs: what its files say of it, and its state as ours.
//
// Its ranks hold contiguous shards of the classes: C div W, one more for the first C mod W (partial_fc_v2.py). Its backbone
// is the same on all ranks but for the running statistics of BatchNorm, which are never averaged: those of rank 0 are
// taken, which are what it validates and exports.
#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/tensors/pytorch.h"
#include "checkpoint/tensors/snapshot.h"
#include "trainer/takeover/arcface_files.h"
#include "trainer/takeover/arcface_state.h"

namespace facemae {

class ArcfaceRun {
 public:
  /// Looks into all files, without reading tensors. Throws ConfigError, DataError naming the file.
  explicit ArcfaceRun(const Path& folder);

  const ArcfaceSettings& settings() const { return settings_; }
  std::uint64_t classes() const { return first_class_.back(); }
  std::size_t ranks() const { return first_class_.size() - 1; }

  /// Puts weights, moments, class centres and their moments in place of what is in `into`, which a run that begins has;
  /// what the files do not have of moments is left at 0, with a warning. Reads what this rank of ours holds, alone. Throws
  /// ConfigError naming both when the numbers of classes differ, and when the backbone is of another network.
  void fill(Snapshot& into, std::uint64_t step) const;

 private:
  void fill_backbone(Snapshot& into, std::uint64_t step) const;
  void fill_classes(ClassTensor& into, const std::string& moment, std::uint64_t step) const;
  torch::Tensor rows_of(std::size_t rank, const std::string& moment) const;

  Path folder_;
  ArcfaceFiles files_;
  ArcfaceSettings settings_;
  std::vector<std::uint64_t> first_class_;  ///< of each rank's shard, and the end
};

}  // namespace facemae
