#pragma once
// FaceMAE pretraining: masked faces are rebuilt, and the relations between the faces of a batch are kept.
#include <memory>
#include <optional>
#include <string>

#include "model/facemae/embedder.h"
#include "model/facemae/face_mae.h"
#include "model/facemae/losses.h"
#include "model/facemae/relation.h"
#include "trainer/config/run_config.h"
#include "trainer/step/precision.h"
#include "trainer/step/task.h"
#include "trainer/tasks/linkage_term.h"
#include "trainer/tasks/rebuilding.h"
#include "trainer/tasks/relation_weight.h"

namespace facemae {

class Pretraining final : public Task, public PictureMaker {
 public:
  /// Of `config` what is of the step: batch, seed, masks and losses. `embedder` may be null when the relation is none.
  /// `kind` names the model in checkpoints.
  Pretraining(FaceMae model, std::unique_ptr<Embedder> embedder, const PretrainConfig& config,
              std::string kind, Parts parts, Precision precision, torch::Device device);

  std::vector<Parameter> parameters() override;
  FaceNeeds needs() const override;
  void begin(std::uint64_t step) override;
  Pass forward(const Faces& faces) override;
  Coupled couple(const Group& group) override;
  std::vector<Metric> metrics() override;
  void state(Snapshot& snapshot) override;
  std::string kind() const override { return kind_; }
  Image picture(const Faces& faces) override { return rebuilding_->picture(faces); }

 private:
  /// What a coupled loss wants of the rows of a group.
  struct Wanted {
    torch::Tensor gradient;  ///< as the rows
    torch::Tensor loss;      ///< weighted; no gradient
  };
  Wanted relate(const Group& group, const torch::Tensor& rows, const torch::Tensor& reference,
                Coupling& faces);
  Wanted link(const Group& group, const torch::Tensor& rows, const torch::Tensor& reference, Coupling& faces);
  torch::Tensor reference_of(const Faces& faces);
  torch::Tensor embeddings_in(const torch::Tensor& rows) const;
  torch::Tensor features_in(const torch::Tensor& rows) const;
  bool to_be_balanced(int micro) const;
  void balance(const Passes& passes, const std::vector<torch::Tensor>& wanted);

  FaceMae model_;
  std::unique_ptr<Embedder> embedder_;
  PretrainConfig config_;
  std::string kind_;
  Parts parts_;
  torch::Device device_;
  std::unique_ptr<Rebuilding> rebuilding_;
  Relation relation_;
  RelationWeight relation_weight_;
  RelationForm form_;
  Precision embedder_precision_;
  std::optional<RealSide>
      real_;            ///< of the micro-batch that passes, where its journey begins before the forward pass
  double global_rows_;  ///< of a step: faces, or sets of them
  std::optional<LinkageTerm> linkage_;
  std::uint64_t step_ = 0;

  // Figures of the step.
  std::vector<torch::Tensor> pixel_of_part_;
  torch::Tensor relation_figure_, correlation_, linkage_figure_;
};

}  // namespace facemae
