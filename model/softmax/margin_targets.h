#pragma once
// The faces of a margin softmax, and what the margin makes of the cosines to their own classes, where these are this
// rank's. All of [n] values: the graph of the margin's formulas, which is the only one that a softmax has.
#include <torch/types.h>

#include "model/common/unit_rows.h"
#include "model/softmax/class_centres.h"
#include "model/softmax/class_logits.h"
#include "model/softmax/margin_state.h"
#include "model/softmax/softmax_config.h"

namespace facemae {

class MarginTargets {
 public:
  /// embeddings [n, 512], labels [n] int64 and draws [n] (undefined unless the margin draws) of all ranks' faces, the same
  /// on each. All ranks, same order: some margins want the cosines of all.
  MarginTargets(torch::Tensor embeddings, const torch::Tensor& labels, const torch::Tensor& draws,
                ClassCentres& centres, const SoftmaxConfig& config, MarginState& state);

  const torch::Tensor& faces() const { return unit_.rows(); }  ///< [n, 512] of norm 1
  const torch::Tensor& place() const { return place_; }        ///< [n]: see ClassCentres::place_of
  const torch::Tensor& ours() const { return ours_; }          ///< [n] bool: the own class is this rank's
  /// [n], 0 where the own class is another rank's: its logit with the margin, and without.
  const torch::Tensor& logit() const { return logit_; }
  const torch::Tensor& plain() const { return plain_; }
  /// How the logits of `rows` faces are computed, and what becomes of those of other classes.
  LogitConfig logit_config() const;

  // Of the cross-entropy of each face plus what the margin adds to it. `largest` and `total` [n]: see ClassLogits.
  /// [n], 0 where the own class is another rank's.
  torch::Tensor losses(const torch::Tensor& largest, const torch::Tensor& total) const;
  /// d (sum of losses / count) / d cosine to the own class, [n]. With `ranks`, which are all, what the margin wants of the
  /// norms is found out for all faces; else for those whose own class is this rank's.
  torch::Tensor differentiate(const torch::Tensor& largest, const torch::Tensor& total, double count,
                              Communicator* ranks = nullptr);
  /// Then: d loss / d embeddings [n, 512], from d loss / d faces(), in whose memory it is made. For the end.
  torch::Tensor backward(torch::Tensor of_faces) &&;

 private:
  const SoftmaxConfig& config_;
  const MarginKind& kind_;
  torch::Tensor embeddings_;
  UnitRows unit_;
  torch::Tensor place_, ours_, logit_, plain_;
  MarginFaces all_, leaves_;
  torch::Tensor moved_, penalty_, norm_gradients_;
};

}  // namespace facemae
