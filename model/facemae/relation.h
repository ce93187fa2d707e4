#pragma once
// Instance relation matching (IRM): how far the mutual relations of a batch's faces move under
// reconstruction. The formulas are in docs/METHOD.md; only the idea is the paper's (arXiv 2205.11090), every
// variant is our choice. b own rows, G rows over all ranks, D embedding width.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cluster/tensors/collectives.h"

namespace facemae {

/// What a relation reads of the rows of all ranks.
enum class RelationReads { UnitRows, Rows, Nothing };

struct RelatedFaces;  // the embeddings of a batch, real and rebuilt: relation.cpp
/// A row of the table of relations, which is in relation.cpp.
struct RelationKind {
  const char* name;
  const char* help;
  torch::Tensor (*share)(const RelatedFaces& faces);  ///< null: "none"
  /// Images that a batch needs, and why.
  std::int64_t least_images;
  const char* why;
  RelationReads reads = RelationReads::UnitRows;
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

/// How a relation is computed: the same loss up to the last bits.
struct RelationForm {
  bool pairs = false;       ///< always by pairs of whole rows, as versions before 0.2 did
  bool bfloat16 = false;    ///< unit rows travel so (not with `pairs`)
  bool correlation = true;  ///< the figure is wanted
};

/// Whether `relation` over `rows` of `values` is made of sums over faces, not of pairs: what ranks send does not grow with
/// the rows then.
bool by_sums(Relation relation, RelationForm form, std::int64_t values, std::int64_t rows);

struct RelationLoss {
  torch::Tensor
      share;  ///< this rank's share; the shares of all ranks sum to the loss. Differentiable in `rebuilt`.
  torch::Tensor
      correlation;  ///< off-diagonal correlation of the two cosine matrices (no gradient), own rows' share; 0: not wanted
};

/// The real side of a relation. Where the rebuilt side has no part in what travels of it, it is on its way from the
/// constructor on, which may come long before relation_share(). All ranks, same order.
class RealSide {
 public:
  /// real [b, D]: own rows' embeddings, which are detached. `rows_of_rank` sums to G >= 2. `center` subtracts the global
  /// mean embedding of each side first. `ranks` must outlive it.
  RealSide(const torch::Tensor& real, Relation kind, bool center, Communicator& ranks,
           std::span<const std::int64_t> rows_of_rank, RelationForm form = {});

 private:
  friend RelationLoss relation_share(RealSide& real, const torch::Tensor& rebuilt);
  torch::Tensor own_;  ///< at least float32, centred when asked
  Relation kind_;
  bool center_, by_sums_ = false;
  Communicator& ranks_;
  std::vector<std::int64_t> rows_of_rank_;
  RelationForm form_;
  std::optional<ArrivingRows> arriving_;
};

/// rebuilt [b, D] float32: own rows' embeddings. All ranks call it once, same order, forward and backward.
RelationLoss relation_share(RealSide& real, const torch::Tensor& rebuilt);
/// The same of both sides at once.
RelationLoss relation_share(const torch::Tensor& real, const torch::Tensor& rebuilt, Relation kind,
                            bool center, Communicator& ranks, std::span<const std::int64_t> rows_of_rank,
                            RelationForm form = {});

}  // namespace facemae
