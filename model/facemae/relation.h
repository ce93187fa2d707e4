#pragma once
// Instance relation matching (IRM): how far the mutual relations of a batch's faces move under
// reconstruction. The formulas are in docs/METHOD.md; only the idea is the paper's (arXiv 2205.11090), every
// variant is our choice. b own rows, G rows over all ranks, D embedding width.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cluster/tensors/communicator.h"

namespace facemae {

struct RelatedFaces;  // the embeddings of a batch, real and rebuilt: relation.cpp
/// A row of the table of relations, which is in relation.cpp.
struct RelationKind {
  const char* name;
  const char* help;
  torch::Tensor (*share)(const RelatedFaces& faces);  ///< null: "none"
  /// Images that a batch needs, and why.
  std::int64_t least_images;
  const char* why;
  /// The loss is over pairs: the rebuilt rows of other ranks take part in backward.
  bool over_pairs = true;
};
std::span<const RelationKind> relation_kinds();
std::vector<std::string> relation_names();  ///< with "none"

/// A row of the table, or none.
class Relation {
 public:
  static const Relation None;
  constexpr Relation() = default;
  constexpr explicit Relation(const RelationKind& kind) : kind_(kind.share != nullptr ? &kind : nullptr) {}
  constexpr const RelationKind* kind() const { return kind_; }  ///< null: none
  bool operator==(const Relation&) const = default;

 private:
  const RelationKind* kind_ = nullptr;
};
inline constexpr Relation Relation::None{};
Relation relation_from(const std::string& name);  ///< throws ConfigError with the nearest name

struct RelationLoss {
  torch::Tensor
      share;  ///< this rank's share; the shares of all ranks sum to the loss. Differentiable in `rebuilt`.
  torch::Tensor
      correlation;  ///< off-diagonal correlation of the two cosine matrices (no gradient), own rows' share
};

/// real, rebuilt [b, D] float32: own rows' embeddings; the real side is detached. `rows_of_rank` sums to G
/// >= 2. All ranks call it, same order, forward and backward. `center` subtracts the global mean embedding of
/// each side first.
RelationLoss relation_share(const torch::Tensor& real, const torch::Tensor& rebuilt, Relation kind,
                            bool center, Communicator& ranks, std::span<const std::int64_t> rows_of_rank);

}  // namespace facemae
