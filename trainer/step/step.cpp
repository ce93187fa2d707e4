#include "trainer/step/step.h"

#include <torch/torch.h>

#include "core/failpoint.h"
#include "trainer/step/range.h"

namespace facemae {

torch::Tensor Step::compute(std::uint64_t step) {
  task_.begin(step);
  sums_.begin();
  if (task_.needs().classes > 0) task_.know(step, source_.prepare(micro_batches_));
  loss_ = torch::Tensor();
  const int together = task_.compares_whole_batch ? micro_batches_ : 1;  // micro-batches that are compared
  for (int first = 0; first < micro_batches_; first += together) {
    std::vector<std::vector<Faces>> group;
    Cotangents wanted;
    if (together > 1) wanted = couple(observe(together, group));
    for (int micro = 0; micro < together; ++micro) {
      if (together == 1) group.push_back(next());
      const Passes passes = forward(group[static_cast<std::size_t>(micro)]);
      if (together == 1) wanted = couple({passes});
      if (first + micro + 1 == micro_batches_) sums_.reduce_next();
      backward(passes, wanted[static_cast<std::size_t>(micro)]);
    }
  }
  failpoint("loop.backward");
  const Range range("reduce");
  waiting_.begin();
  sums_.finish();
  waiting_.end();
  return loss_;
}

std::vector<Faces> Step::next() {
  const Range range("data");
  return source_.next();
}

Passes Step::forward(const std::vector<Faces>& parts) {
  const Range range("forward");
  Passes passes{.parts = {}, .rows_of_rank = parts.front().rows_of_rank, .micro = parts.front().micro};
  for (auto& rows : passes.rows_of_rank) rows /= task_.faces_per_row;
  for (const auto& faces : parts) passes.parts.push_back(task_.forward(faces));
  return passes;
}

/// Reads micro-batches and finds the rows of each, without graphs, which would not fit side by side.
Group Step::observe(int micro_batches, std::vector<std::vector<Faces>>& read) {
  const torch::NoGradGuard no_grad;
  Group group;
  for (int micro = 0; micro < micro_batches; ++micro) {
    read.push_back(next());
    group.push_back(forward(read.back()));
  }
  return group;
}

Cotangents Step::couple(const Group& group) {
  if (!group.front().parts.front().rows.defined()) return Cotangents(group.size());
  const Range range("couple");
  waiting_.begin();
  auto coupled = task_.couple(group);
  waiting_.end();
  add(coupled.loss);
  return std::move(coupled.wanted);
}

void Step::backward(const Passes& passes, const std::vector<torch::Tensor>& wanted) {
  const Range range("backward");
  for (std::size_t part = 0; part < passes.parts.size(); ++part) {
    const auto& [loss, rows, reference, draws, output] = passes.parts[part];
    std::vector<torch::Tensor> of, gradients;
    if (loss.defined()) add(loss.detach());
    if (loss.defined() && loss.requires_grad()) {
      of.push_back(loss);
      gradients.emplace_back();  // 1
    }
    if (rows.defined()) {
      of.push_back(rows);
      gradients.push_back(wanted[part]);
    }
    sums_.collect(part);
    torch::autograd::backward(of, gradients);
  }
}

}  // namespace facemae
