#pragma once
// FaceMAE pretraining under --exact: the same mathematics as trainer/tasks/pretrain.h, slot by slot, with the whole
// relation loss on every rank.
#include <memory>
#include <vector>

#include "cluster/tensors/alone.h"
#include "cluster/tensors/tree_sum.h"
#include "trainer/tasks/pretrain.h"

namespace facemae {

class ExactPretraining final : public Pretraining {
 public:
  /// On the CPU, in float32. `slots`: of a micro-batch over all ranks.
  ExactPretraining(FaceMae model, std::unique_ptr<Embedder> embedder, const PretrainSettings& settings,
                   Communicator& batch, int slots);

  void begin_step(std::uint64_t step) override;
  void observed_all() override;
  std::vector<torch::Tensor> slot_losses(const std::vector<Faces>& slots) override;
  std::vector<Metric> metrics() override;

 private:
  /// One slot's forward pass, with its graph.
  struct Pass {
    torch::Tensor predicted, pixel, found;  ///< found: embeddings of the rebuilt faces [b, D]
  };
  torch::Tensor all_rows(const std::vector<torch::Tensor>& own,
                         const std::vector<std::int64_t>& rows_of_rank) const;
  torch::Tensor relation_cotangent(const torch::Tensor& real, const torch::Tensor& rebuilt, double part);
  void balance(const std::vector<Pass>& passes, const std::vector<torch::Tensor>& related);

  AloneCommunicator alone_;
  TreeSum slots_;
  std::vector<torch::Tensor> pixel_of_slot_;  ///< of the step, own slots
};

}  // namespace facemae
