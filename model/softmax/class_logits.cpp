#include "model/softmax/class_logits.h"

#include <ATen/Context.h>
#include <torch/torch.h>

#include <algorithm>
#include <limits>

namespace facemae {
namespace {

using torch::Tensor;

constexpr double kNothing = -std::numeric_limits<double>::infinity();

/// To 8 bits, in the type that it has.
Tensor rounded(const Tensor& x) { return x.to(torch::kBFloat16).to(x.scalar_type()); }

/// Whether products of float32 on GPUs are of TF32, within a scope.
class Tf32 {
 public:
  explicit Tf32(bool allowed) : before_(at::globalContext().allowTF32CuBLAS()) {
    at::globalContext().setAllowTF32CuBLAS(allowed);
  }
  ~Tf32() { at::globalContext().setAllowTF32CuBLAS(before_); }
  Tf32(const Tf32&) = delete;
  Tf32& operator=(const Tf32&) = delete;

 private:
  bool before_;
};

}  // namespace

template <class Value>
void ClassLogits::put_at_targets(Tensor& buffer, const Chunk& chunk, const Value& value) {
  buffer.scatter_(1, chunk.column, torch::where(chunk.ours, value, buffer.gather(1, chunk.column)));
}

ClassLogits::ClassLogits(Tensor faces, LogitClasses classes, LogitTargets targets, const LogitConfig& config)
    : faces_(std::move(faces)),
      classes_(std::move(classes)),
      targets_(std::move(targets)),
      config_(config),
      largest_(torch::full({2, faces_.size(0)}, kNothing, faces_.options())),
      sums_(torch::zeros({faces_.size(0)}, faces_.options())) {
  const auto k = classes_.centres.size(0), most = std::max<std::int64_t>(1, config_.classes_at_once);
  const auto place = targets_.place.unsqueeze(1);
  for (std::int64_t first = 0; first < k; first += most) {
    const auto count = std::min(most, k - first);
    const auto local = first == 0 ? place : place - first;
    const auto column = local.clamp(0, count - 1);
    chunks_.push_back({first, count, column, column.eq(local)});
  }
  auto others = largest_[0], all = largest_[1];
  for (const auto& chunk : chunks_) {
    auto values = logits(chunk, &others);
    const auto larger = torch::maximum(all, values.amax(1));
    if (chunks_.size() > 1)
      sums_.mul_((all - larger).exp_()).add_(values.sub_(larger.unsqueeze(1)).exp_().sum(1));
    all.copy_(larger);
  }
  if (chunks_.size() > 1) buffer_ = factors_ = Tensor();
}

Tensor ClassLogits::exponentiate(const Tensor& largest) {
  const auto ours = largest_[1].clone();
  largest_[1].copy_(largest);
  if (chunks_.size() == 1) return buffer_.sub_(largest.unsqueeze(1)).exp_().sum(1);
  return chunks_.empty() ? sums_ : sums_.mul(ours.sub_(largest).exp_());
}

Tensor ClassLogits::differentiate(const Tensor& total, double count, const Tensor& of_targets,
                                  Tensor of_centres, bool first) && {
  // d loss / d logits of other classes = softmax / count.
  const auto per_power = (config_.scale / count / total).unsqueeze(1);
  auto of_faces = torch::zeros_like(faces_);
  for (const auto& chunk : chunks_) {
    if (chunks_.size() > 1) logits(chunk, nullptr).sub_(largest_[1].unsqueeze(1)).exp_();
    buffer_.mul_(per_power);
    if (factors_.defined()) buffer_.mul_(factors_);
    put_at_targets(buffer_, chunk, of_targets.unsqueeze(1));
    buffer_.mul_(classes_.inverse.narrow(0, chunk.first, chunk.count));
    add_product(of_faces, 1, buffer_, classes_.centres.narrow(0, chunk.first, chunk.count));
    auto ours = of_centres.narrow(0, chunk.first, chunk.count);
    add_product(ours, first ? 0 : 1, buffer_.t(), faces_);
  }
  return of_faces;
}

Tensor ClassLogits::logits(const Chunk& chunk, Tensor* others) {
  buffer_ = Tensor();  // its memory is what the next one takes
  buffer_ = product(faces_, classes_.centres.narrow(0, chunk.first, chunk.count).t());
  const auto factor = classes_.inverse.narrow(0, chunk.first, chunk.count) * config_.scale;
  const double largest = config_.largest_cosine * config_.scale;
  buffer_.mul_(factor).clamp_(-largest, largest);
  if (others != nullptr) {
    put_at_targets(buffer_, chunk, kNothing);
    others->copy_(torch::maximum(*others, buffer_.amax(1)));
  }
  if (config_.move_others) {
    put_at_targets(buffer_, chunk, 0.0);
    factors_ = Tensor();
    buffer_.div_(config_.scale);
    config_.move_others(buffer_, factors_);
    buffer_.mul_(config_.scale);
  }
  put_at_targets(buffer_, chunk, targets_.logit.unsqueeze(1));
  return buffer_;
}

Tensor ClassLogits::product(const Tensor& a, const Tensor& b) const {
  const Tf32 allowed(config_.precision == LogitPrecision::Tf32);
  if (config_.precision != LogitPrecision::BFloat16) return a.mm(b);
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 8
  if (a.is_cuda()) return at::mm(a.to(torch::kBFloat16), b.to(torch::kBFloat16), a.scalar_type());
#endif
  const Tf32 holds_bfloat16(true);  // exactly: the same products, at half the rate
  return rounded(a).mm(rounded(b));
}

void ClassLogits::add_product(Tensor& sum, int beta, const Tensor& a, const Tensor& b) const {
  const Tf32 allowed(config_.precision == LogitPrecision::Tf32);
  if (config_.precision != LogitPrecision::BFloat16)
    torch::addmm_out(sum, sum, a, b, beta);
  else if (beta == 0)
    sum.copy_(product(a, b));
  else
    sum.add_(product(a, b));
}

}  // namespace facemae
