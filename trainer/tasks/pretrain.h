#pragma once
// FaceMAE pretraining: the step that reads like the paper.
#include <memory>
#include <optional>

#include "cluster/tensors/communicator.h"
#include "model/facemae/embedder.h"
#include "model/facemae/face_mae.h"
#include "model/facemae/losses.h"
#include "model/facemae/relation.h"
#include "trainer/step/precision.h"
#include "trainer/step/task.h"

namespace facemae {

struct PretrainSettings {
  double mask_ratio = 0.75;
  Reconstruction reconstruction = Reconstruction::All;
  bool normalise_patches = false;
  double reconstruction_weight = 1;
  Relation relation = Relation::Cosine;
  double relation_weight = 1;
  std::optional<double>
      automatic_ratio;  ///< hold the relation gradient at this fraction of the pixel gradient
  bool relation_center = false;
  bool relation_over_global_batch = false;
  std::uint64_t seed = 0;
  std::uint64_t global_batch = 1;
  std::string model_kind;  ///< for checkpoints
};

class Pretraining : public Task {
 public:
  /// `embedder` may be null when the relation is None.
  Pretraining(FaceMae model, std::unique_ptr<Embedder> embedder, const PretrainSettings& settings,
              Communicator& batch, Precision precision, torch::Device device);

  std::vector<Parameter> parameters() override;
  void begin_step(std::uint64_t step) override;
  bool two_passes() const override;
  void observe(const Faces& faces) override;
  void observed_all() override;
  torch::Tensor loss_share(const Faces& faces) override;
  std::vector<Metric> metrics() override;
  void add_to(Snapshot& snapshot) override;
  double automatic_weight() const override { return relation_weight_; }
  void set_automatic_weight(double weight) override;
  std::string kind() const override { return settings_.model_kind; }
  Image picture(const Faces& faces) override;

 protected:
  /// What one forward pass gives: predicted patches [b, N, P] and the rebuilt images [b, 3, H, W].
  struct Forward {
    Masked mask;
    torch::Tensor predicted, rebuilt;
  };
  Forward rebuild(const Faces& faces);
  Masked mask_of(const Faces& faces) const;
  torch::Tensor pixel_share(const Faces& faces, const Forward& forward) const;
  torch::Tensor embed_real(const Faces& faces);   ///< no gradient
  bool to_be_balanced(const Faces& faces) const;  ///< the automatic weight is measured on this micro-batch
  static torch::Tensor gradient_squares(const torch::Tensor& pixel, const torch::Tensor& relation,
                                        const torch::Tensor& predicted);
  void set_weight_from(const torch::Tensor& squares);

  FaceMae model_;
  std::unique_ptr<Embedder> embedder_;
  PretrainSettings settings_;
  Communicator& batch_;
  Precision precision_;
  torch::Device device_;
  double relation_weight_;
  bool measured_ = false;  ///< the automatic weight has been measured once
  std::uint64_t step_ = 0;
  torch::Tensor reconstruction_, relation_, correlation_;  ///< sums of shares over the step

  struct Observed {
    torch::Tensor real, rebuilt;  ///< [b, D] of one micro-batch, own rows
    std::vector<std::int64_t> rows_of_rank;
  };
  std::vector<Observed> observed_;
  std::vector<torch::Tensor> cotangents_;  ///< of the relation loss, per micro-batch [b, D]
};

/// The mask key of a training sample.
std::uint64_t mask_key(std::uint64_t seed, std::uint64_t ordinal);

}  // namespace facemae
