#include "model/softmax/margin_softmax.h"

#include <torch/torch.h>

#include <utility>
#include <vector>

#include "cluster/tensors/collectives.h"
#include "model/softmax/class_logits.h"
#include "model/softmax/margin_targets.h"

namespace facemae {
namespace {

using torch::Tensor;

struct GatheredFaces {
  Tensor embeddings, labels, draws;
};
/// Of all ranks, in one collective: labels travel as the bits of one more value, draws as another.
GatheredFaces gathered(const Tensor& embeddings, const Tensor& labels, const Tensor& draws,
                       Communicator& ranks, std::span<const std::int64_t> rows_of_rank) {
  if (ranks.size() == 1) return {embeddings, labels, draws};
  const auto type = embeddings.scalar_type() == torch::kFloat64 ? torch::kInt64 : torch::kInt32;
  std::vector<Tensor> columns = {embeddings, labels.to(type).unsqueeze(1).view(embeddings.scalar_type())};
  if (draws.defined()) columns.push_back(draws.unsqueeze(1));
  const auto all = gather_rows(torch::cat(columns, 1), ranks, rows_of_rank);
  const auto width = embeddings.size(1);
  return {all.narrow(1, 0, width).contiguous(),
          all.narrow(1, width, 1).contiguous().view(type).squeeze(1).to(torch::kInt64),
          draws.defined() ? all.select(1, width + 1) : Tensor()};
}

}  // namespace

CoupledSoftmax margin_softmax(ClassCentres& centres, MarginState& state, const SoftmaxConfig& config,
                              const Tensor& embeddings, const Tensor& labels, const Tensor& draws,
                              std::span<const std::int64_t> rows_of_rank, double count) {
  const torch::NoGradGuard no_grad;
  Communicator& ranks = centres.ranks();
  const auto all =
      gathered(embeddings.detach().to(centres.weight().scalar_type()), labels, draws, ranks, rows_of_rank);
  MarginTargets targets(all.embeddings, all.labels, all.draws, centres, config, state);
  const auto& active = centres.active();
  ClassLogits logits(targets.faces(), {active.centres, active.inverse}, {targets.place(), targets.logit()},
                     targets.logit_config());

  auto best = logits.largest().clone();
  ranks.all_reduce(best, Reduce::Max).wait();
  const auto largest = best[1];
  const auto right = targets.plain().gt(best[0]).bitwise_and(targets.ours()).sum().to(best.scalar_type());
  auto sums = torch::cat({logits.exponentiate(largest), right.view(1)});
  ranks.all_reduce(sums, Reduce::Sum).wait();
  const auto total = sums.narrow(0, 0, largest.size(0));

  const auto losses = targets.losses(largest, total);
  const auto of_own = targets.differentiate(largest, total, count);
  bool first = false;
  auto of_centres = centres.gradient_to_add(first);
  auto of_faces = std::move(logits).differentiate(total, count, of_own, of_centres, first);
  return {.cotangent = sum_to_owner(std::move(targets).backward(std::move(of_faces)), ranks, rows_of_rank),
          .loss = (losses.to(torch::kFloat64).sum() / count).to(best.scalar_type()),
          .correct = sums[-1].clone()};
}

}  // namespace facemae
