#pragma once
// Computes the softmax over classes that are sharded over ranks. V virtual shards (contiguous class ranges)
// are the unit of ownership: rank r owns shards [rV/W, (r+1)V/W), so any world reads the same ranges.
#include <cstdint>
#include <span>

#include "cluster/tensors/communicator.h"
#include "model/recognition/margins.h"

namespace facemae {

struct ClassRange {
  std::int64_t first = 0, count = 0;
};
/// The classes of one virtual shard: [v C / V, (v + 1) C / V).
ClassRange virtual_shard(std::int64_t classes, std::int64_t shards, std::int64_t v);
/// The classes of one rank. Throws ConfigError when V < W.
ClassRange classes_of_rank(std::int64_t classes, std::int64_t shards, int rank, int world);

/// Rows [.., 512] divided by their Euclidean norms.
torch::Tensor unit_rows(const torch::Tensor& x);

/// A margin softmax that has been differentiated.
struct CoupledSoftmax {
  torch::Tensor cotangent;      ///< d loss / d embeddings [n, 512], of the rows that were given
  torch::Tensor loss, correct;  ///< as ClassCentres::loss gives them; no gradient
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

  void check_labels(const torch::Tensor& labels) const;  ///< throws DataError unless all are classes

  struct Result {
    torch::Tensor
        share;  ///< this rank's share of the mean cross-entropy: sum over rows whose target is ours / count
    torch::Tensor correct;  ///< rows classified right, over all ranks (no gradient): the same on every rank
  };
  /// embeddings [G, 512] of the whole (micro-)batch, gathered differentiably; labels [G] int64;
  /// count: rows of the whole step. Cosines and softmax in float32 (float64 stays), exact
  /// log-sum-exp. All ranks, same order.
  Result loss(const torch::Tensor& embeddings, const torch::Tensor& labels, const Margin& margin,
              double count);
  /// The same for own rows, outside of the callers' graph: embeddings [b, 512] and labels [b] of this rank, which are
  /// gathered. Adds d loss / d centres to the gradient of this rank's centres. All ranks, same order.
  CoupledSoftmax coupled(const torch::Tensor& embeddings, const torch::Tensor& labels,
                         std::span<const std::int64_t> rows_of_rank, const Margin& margin, double count);

 private:
  std::int64_t classes_, shards_;
  Communicator& ranks_;
  ClassRange range_;
  torch::Tensor weight_;
};

}  // namespace facemae
