#include "model/facemae/relation.h"

#include <torch/torch.h>

#include <numeric>

#include "core/error.h"
#include "core/kinds.h"
#include "core/log.h"
#include "model/common/precision.h"
#include "model/facemae/cosine_sums.h"
#include "model/facemae/distances.h"

namespace facemae {

using torch::Tensor;

/// Which of the G rows are ours.
struct RelatedRows {
  std::int64_t first = 0, own = 0, total = 0;
  Tensor of(const Tensor& all) const { return all.narrow(0, first, own); }
  double pairs() const { return static_cast<double>(total) * static_cast<double>(total - 1); }
};

/// One side of the comparison, with the rows of every rank.
struct RelatedSide {
  /// [G, D]: as they came (centred when asked), and L2-normalised. Only what is read is there.
  Tensor embeddings, unit;
};

/// What a relation is computed from.
struct RelatedFaces {
  const RelatedSide &real, &rebuilt;     ///< of all ranks
  const Tensor &own_real, &own_rebuilt;  ///< [b, D], as they came (centred when asked)
  const RelatedRows& rows;
  Communicator& ranks;
  bool by_cdist;  ///< distances and their gradient as at::cdist has them
};

namespace {

using Rows = RelatedRows;
using Side = RelatedSide;

constexpr double kNormEps = 1e-8;

Tensor normalised(const Tensor& rows) {
  return torch::nn::functional::normalize(
      rows, torch::nn::functional::NormalizeFuncOptions().p(2).dim(1).eps(kNormEps));
}

/// [b, G]: 1 where an own row meets another row, 0 where it meets itself.
Tensor others(const Rows& rows, const torch::TensorOptions& options) {
  auto mask = torch::ones({rows.own, rows.total}, options);
  if (rows.own > 0) mask.narrow(1, rows.first, rows.own).fill_diagonal_(0);
  return mask;
}

Tensor cosines(const Side& side, const Rows& rows) { return rows.of(side.unit).matmul(side.unit.t()); }

Tensor cosine_share(const RelatedFaces& faces) {
  const Rows& rows = faces.rows;
  const auto gap = cosines(faces.real, rows) - cosines(faces.rebuilt, rows);
  return (gap.square() * others(rows, gap.options())).sum() / rows.pairs();
}

/// Distances of own rows to all, divided by their mean over all pairs of different rows of all ranks: [b, G].
Tensor relative_distances(const Side& side, const RelatedFaces& faces, const Tensor& apart) {
  const auto own = faces.rows.of(side.embeddings);
  const auto raw = faces.by_cdist
                       ? (at::cdist(own, side.embeddings, 2.0, /*compute_mode=*/2).square() + 1e-12).sqrt()
                       : distances(own, side.embeddings);
  const auto distance = raw * apart;
  return distance / (all_sum(distance.sum(), faces.ranks) / faces.rows.pairs());
}

/// RKD's distance term (Park et al. 2019, arXiv 1904.05068).
Tensor distance_share(const RelatedFaces& faces) {
  const Rows& rows = faces.rows;
  const auto apart = others(rows, faces.real.embeddings.options());
  const auto target = relative_distances(faces.real, faces, apart);
  const auto found = relative_distances(faces.rebuilt, faces, apart);
  return at::smooth_l1_loss(found, target, at::Reduction::Sum, /*beta=*/1.0) / rows.pairs();
}

/// Similarity-preserving distillation (Tung and Mori 2019, arXiv 1907.09682).
Tensor similarity_share(const RelatedFaces& faces) {
  const Rows& rows = faces.rows;
  const auto relation = [&](const Side& side) {
    return normalised(rows.of(side.embeddings).matmul(side.embeddings.t()));
  };
  const auto total = static_cast<double>(rows.total);
  return (relation(faces.real) - relation(faces.rebuilt)).square().sum() / (total * total);
}

/// Probabilistic knowledge transfer (Passalis and Tefas 2018, arXiv 1803.10837), each
/// row's own entry left out.
Tensor pkt_share(const RelatedFaces& faces) {
  constexpr double eps = 1e-7;
  const Rows& rows = faces.rows;
  const auto apart = others(rows, faces.real.unit.options());
  const auto probabilities = [&](const Side& side) {
    const auto affinity = ((cosines(side, rows) + 1) / 2).clamp_min(0) * apart;  // rounding may pass -1
    return affinity /
           affinity.sum(1, /*keepdim=*/true).clamp_min(1e-12);  // a sum of 0: all others exactly opposite
  };
  const auto p = probabilities(faces.real), q = probabilities(faces.rebuilt);
  return (p * ((p + eps).log() - (q + eps).log())).sum() / static_cast<double>(rows.total);
}

/// First and second moments of own unit rows, summed over the ranks. Centred before squaring, so that the
/// covariance is no difference of large numbers.
struct Moments {
  Moments(const Tensor& own, std::int64_t total, Communicator& ranks) {
    mean = all_sum(own.sum(0), ranks) / static_cast<double>(total);
    const auto centred = own - mean;
    covariance = all_sum(centred.t().matmul(centred), ranks) / static_cast<double>(total);
  }
  Tensor mean, covariance;  ///< [D], [D, D]
};

Tensor moments_share(const RelatedFaces& faces) {
  const auto total = faces.rows.total;
  const Moments target(normalised(faces.own_real), total, faces.ranks),
      found(normalised(faces.own_rebuilt), total, faces.ranks);
  const auto loss =
      (found.mean - target.mean).square().sum() +
      (found.covariance - target.covariance).square().sum() / static_cast<double>(faces.own_real.size(1));
  return faces.ranks.rank() == 0
             ? loss
             : loss * 0;  // every rank has all of it, and backward needs every rank's graph
}

/// Own rows' share of Pearson's correlation of two matrices over their entries off the diagonal.
Tensor correlation_share(const Side& real, const Side& rebuilt, const Rows& rows, Communicator& ranks) {
  const torch::NoGradGuard no_grad;
  const auto cosines_of = [&](const Side& side) {
    return (side.unit.defined() ? cosines(side, rows) : cosines({{}, normalised(side.embeddings)}, rows))
        .to(torch::kFloat64);
  };
  const auto a = cosines_of(real), b = cosines_of(rebuilt);
  const auto apart = others(rows, a.options());
  const auto means = all_sum(torch::stack({(a * apart).sum(), (b * apart).sum()}), ranks) / rows.pairs();
  const auto x = (a - means[0]) * apart, y = (b - means[1]) * apart;
  const auto squares = all_sum(torch::stack({x.square().sum(), y.square().sum()}), ranks);
  return ((x * y).sum() / (squares[0] * squares[1]).sqrt().clamp_min(1e-30)).to(torch::kFloat32);
}

Tensor unit_in_double(const Tensor& rows) { return normalised(rows.to(torch::kFloat64)); }

/// Of own rows, what other ranks read. Differences of whole rows are small, and those rows are sent in full.
Tensor what_travels(const Tensor& own, RelationReads reads) {
  return reads == RelationReads::Rows ? own : normalised(own);
}
torch::ScalarType carried_as(const Tensor& own, RelationReads reads, const RelationForm& form) {
  return form.bfloat16 && reads != RelationReads::Rows ? torch::kBFloat16 : own.scalar_type();
}

Tensor centred(const Tensor& own, std::int64_t total, Communicator& ranks) {
  return own - all_sum(own.sum(0, /*keepdim=*/true), ranks) / static_cast<double>(total);
}

Rows check(const Tensor& real, Communicator& ranks, std::span<const std::int64_t> rows_of_rank) {
  if (static_cast<int>(rows_of_rank.size()) != ranks.size())
    throw Error(
        fmt::format("computing the relation loss: {} numbers of rows for {} ranks; pass one for each rank.",
                    rows_of_rank.size(), ranks.size()));
  const auto rank = static_cast<std::size_t>(ranks.rank());
  Rows rows;
  rows.own = rows_of_rank[rank];
  rows.first = std::accumulate(rows_of_rank.begin(), rows_of_rank.begin() + ranks.rank(), std::int64_t{0});
  rows.total = std::accumulate(rows_of_rank.begin(), rows_of_rank.end(), std::int64_t{0});
  if (real.dim() != 2 || real.size(0) != rows.own)
    throw Error(
        fmt::format("computing the relation loss: embeddings [{}] should be [{}, D], the rows of rank {}.",
                    fmt::join(real.sizes(), ", "), rows.own, rank));
  if (rows.total < 2)
    throw ConfigError(
        fmt::format("computing the relation loss: a batch of {} faces has no pairs; "
                    "raise the global batch to 2 or more, or choose the relation \"none\".",
                    rows.total));
  return rows;
}

constexpr const char* kNoPair = "one image alone is in no pair";
constexpr RelationKind kRelations[] = {
    {"cosine", "match the cosines of all pairs", cosine_share, 2, kNoPair},
    {"distance", "match the distances of all pairs, relative to their mean (RKD)", distance_share, 2, kNoPair,
     RelationReads::Rows},
    {"pkt", "match the probabilities that one face is taken for another (PKT)", pkt_share, 3,
     "with 2 there is one other, always likely"},
    {"similarity", "match each row of the matrix of inner products (similarity-preserving)", similarity_share,
     2, kNoPair, RelationReads::Rows},
    {"moments", "match mean and covariance of the embeddings", moments_share, 2, kNoPair,
     RelationReads::Nothing},
    {"none", "train without a relation loss", nullptr, 0, ""},
};

}  // namespace

std::span<const RelationKind> relation_kinds() { return kRelations; }
std::vector<std::string> relation_names() { return names_of(kRelations); }
Relation relation_from(const std::string& name) {
  return Relation(row_of(kRelations, name, "choosing the relation loss"));
}

bool by_sums(Relation relation, RelationForm form, std::int64_t values, std::int64_t rows) {
  const RelationKind* kind = relation.kind();
  if (kind == nullptr || form.pairs) return false;
  // The loss is made of sums over faces, or its figure alone reads pairs.
  const bool of_sums = kind->share == cosine_share || kind->reads == RelationReads::Nothing;
  return of_sums && values < rows;
}

RealSide::RealSide(const Tensor& real, Relation kind, bool center, Communicator& ranks,
                   std::span<const std::int64_t> rows_of_rank, RelationForm form)
    : kind_(kind),
      center_(center),
      ranks_(ranks),
      rows_of_rank_(rows_of_rank.begin(), rows_of_rank.end()),
      form_(form) {
  const FullPrecision scope(real.device().type());
  const torch::NoGradGuard no_grad;
  own_ = at_least_float(real.detach());
  if (kind_ == Relation::None) return;
  const Rows rows = check(own_, ranks_, rows_of_rank_);
  if (center_) own_ = centred(own_, rows.total, ranks_);
  if (form_.pairs) return;
  const auto reads = kind_.kind()->reads;
  by_sums_ = by_sums(kind_, form_, own_.size(1), rows.total);
  if (!by_sums_ && (reads != RelationReads::Nothing || form_.correlation))
    arriving_.emplace(what_travels(own_, reads), ranks_, rows_of_rank_, carried_as(own_, reads, form_));
}

RelationLoss relation_share(RealSide& real, const Tensor& rebuilt) {
  // Autocast must not touch the small differences that the losses are made of.
  const FullPrecision scope(rebuilt.device().type());
  Communicator& ranks = real.ranks_;
  auto own = at_least_float(rebuilt);
  const auto zero = torch::zeros({}, own.options());
  RelationLoss result{zero, zero.to(torch::kFloat32)};
  if (real.kind_ == Relation::None) return result;
  const RelationKind& kind = *real.kind_.kind();
  const Rows rows = check(own, ranks, real.rows_of_rank_);
  if (real.center_) own = centred(own, rows.total, ranks);
  if (real.by_sums_ && (kind.share == cosine_share || real.form_.correlation)) {
    const CosineSums sums(unit_in_double(real.own_), unit_in_double(own), own.scalar_type(), ranks);
    if (real.form_.correlation) result.correlation = sums.correlation(rows.pairs()).to(torch::kFloat32);
    if (kind.share == cosine_share) {
      result.share = sums.share(rows.pairs()).to(own.scalar_type());
      return result;
    }
  }
  Side all_real, all_rebuilt;
  if (real.form_.pairs) {
    const auto whole = [&](const Tensor& side) {
      const auto all = gather_rows(side, ranks, real.rows_of_rank_);
      return Side{all, normalised(all)};
    };
    all_real = whole(real.own_);
    // The gather of the rebuilt side takes part in backward, so only where the loss needs it.
    all_rebuilt = whole(kind.reads == RelationReads::Nothing ? own.detach() : own);
  } else if (real.arriving_) {
    const auto side = [&](const Tensor& all) {
      return kind.reads == RelationReads::Rows ? Side{all, {}} : Side{{}, all};
    };
    all_real = side(real.arriving_->all());
    const auto sent = what_travels(kind.reads == RelationReads::Nothing ? own.detach() : own, kind.reads);
    all_rebuilt = side(gather_rows(sent, ranks, real.rows_of_rank_, carried_as(own, kind.reads, real.form_)));
  }
  if (real.form_.correlation && !real.by_sums_)
    result.correlation = correlation_share(all_real, all_rebuilt, rows, ranks);
  result.share = kind.share({all_real, all_rebuilt, real.own_, own, rows, ranks, real.form_.pairs});
  return result;
}

RelationLoss relation_share(const Tensor& real, const Tensor& rebuilt, Relation kind, bool center,
                            Communicator& ranks, std::span<const std::int64_t> rows_of_rank,
                            RelationForm form) {
  RealSide side(real, kind, center, ranks, rows_of_rank, form);
  return relation_share(side, rebuilt);
}

}  // namespace facemae
