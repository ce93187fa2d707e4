#pragma once
// Computes the softmax over classes that are sharded over ranks. V virtual shards (contiguous class ranges)
// are the unit of ownership: rank r owns shards [rV/W, (r+1)V/W), so any world reads the same ranges.
#include <cstdint>
#include <span>

#include "cluster/tensors/communicator.h"
#include "model/recognition/margins.h"
#include "model/recognition/unit_rows.h"

namespace facemae {

struct ClassRange {
  std::int64_t first = 0, count = 0;
};
/// The classes of one virtual shard: [v C / V, (v + 1) C / V).
ClassRange virtual_shard(std::int64_t classes, std::int64_t shards, std::int64_t v);
/// The classes of one rank. Throws ConfigError when V < W.
ClassRange classes_of_rank(std::int64_t classes, std::int64_t shards, int rank, int world);

/// A margin softmax that has been differentiated. No graphs.
struct CoupledSoftmax {
  torch::Tensor cotangent;  ///< d loss / d embeddings [n, 512], of the rows that were given
  torch::Tensor loss;       ///< mean cross-entropy: of the rows whose class is this rank's, / count
  torch::Tensor correct;    ///< rows of all ranks that are nearest to their own class: the same on every rank
};

class ClassCentres {
 public:
  /// Centres N(0, 0.01^2) drawn by class id, and so the same for any world.
  ClassCentres(std::int64_t classes, std::int64_t shards, std::uint64_t seed, Communicator& ranks,
               torch::Device device, torch::ScalarType type = torch::kFloat32);
  torch::Tensor& weight() { return weight_; }  ///< [own classes, 512], a leaf that requires grad
  ClassRange range() const { return range_; }
  std::int64_t classes() const { return classes_; }
  std::int64_t virtual_shards() const { return shards_; }

  /// Throws DataError unless all are classes. Reads them from their device: for once, before training.
  void check_labels(const torch::Tensor& labels) const;

  /// Of own rows: embeddings [b, 512] and labels [b] int64 of this rank, all of them classes, which are gathered.
  /// count: rows of the whole step. Cosines and softmax in float32 (float64 stays), exact log-sum-exp. Adds d loss / d
  /// centres to the gradient of this rank's centres, which must be there. Outside of autocast. Reads nothing from the
  /// device. All ranks, same order.
  CoupledSoftmax coupled(const torch::Tensor& embeddings, const torch::Tensor& labels,
                         std::span<const std::int64_t> rows_of_rank, const Margin& margin, double count);

 private:
  std::int64_t classes_, shards_;
  Communicator& ranks_;
  ClassRange range_;
  torch::Tensor weight_;
};

}  // namespace facemae
