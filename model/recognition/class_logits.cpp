#include "model/recognition/class_logits.h"

#include <torch/torch.h>

#include <algorithm>
#include <limits>

namespace facemae {
namespace {

using torch::Tensor;

constexpr double kNothing = -std::numeric_limits<double>::infinity();

/// Largest value of each row; minus infinity where there are no columns.
Tensor row_maximum(const Tensor& matrix) {
  return matrix.size(1) > 0 ? matrix.amax(1) : torch::full({matrix.size(0)}, kNothing, matrix.options());
}

}  // namespace

ClassLogits::ClassLogits(Tensor faces, const Tensor& labels, const Tensor& centres, std::int64_t first,
                         const Margin& margin)
    : scale_(margin.scale), faces_(std::move(faces)), centres_(centres) {
  const auto classes = centres.size(0);
  const auto local = labels - first;
  ours_ = local.ge(0).bitwise_and(local.lt(classes));
  columns_ = local.clamp(0, std::max<std::int64_t>(classes - 1, 0)).unsqueeze(1);
  buffer_ = faces_.mm(centres_.rows().t());
  const auto cosines = at_targets();
  {
    const torch::AutoGradMode graph(true);  // of [n] values: the table of margins has formulas alone
    cosine_ = cosines.detach().requires_grad_(true);
    moved_ = target_logits(cosine_.clamp(-1, 1), margin);
  }
  plain_ = torch::where(ours_, cosines.clamp(-1, 1) * scale_, 0);
  target_ = torch::where(ours_, moved_.detach(), 0);
  buffer_.clamp_(-1, 1).mul_(scale_);
  put_at_targets(torch::full({}, kNothing, buffer_.options()));
  const auto others = row_maximum(buffer_);
  put_at_targets(target_);
  largest_ = torch::stack({others, torch::where(ours_, torch::maximum(others, target_), others)});
}

Tensor ClassLogits::exponentiate(const Tensor& largest) {
  return buffer_.sub_(largest.unsqueeze(1)).exp_().sum(1);
}

Tensor ClassLogits::differentiate(const Tensor& total, double count, Tensor of_centres) && {
  // d loss / d logits = (softmax - target) / count.
  buffer_.div_(total.unsqueeze(1)).mul_(1 / count);
  const auto of_moved = torch::where(ours_, at_targets() - 1 / count, 0);
  buffer_.mul_(scale_);
  put_at_targets(torch::autograd::grad({moved_}, {cosine_}, {of_moved}).front());
  const auto of_faces = buffer_.mm(centres_.rows());
  of_centres.add_(std::move(centres_).backward(buffer_.t().mm(faces_)));
  return of_faces;
}

Tensor ClassLogits::at_targets() const {
  return buffer_.size(1) > 0 ? buffer_.gather(1, columns_).squeeze(1)
                             : torch::zeros({buffer_.size(0)}, buffer_.options());
}

void ClassLogits::put_at_targets(const Tensor& value) {
  if (buffer_.size(1) == 0) return;
  buffer_.scatter_(1, columns_, torch::where(ours_, value, at_targets()).unsqueeze(1));
}

}  // namespace facemae
