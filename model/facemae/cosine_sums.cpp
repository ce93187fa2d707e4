#include "model/facemae/cosine_sums.h"

#include <torch/torch.h>

namespace facemae {

using torch::Tensor;

namespace {

Tensor row_dots(const Tensor& x, const Tensor& y) { return (x * y).sum(1); }

}  // namespace

CosineSums::CosineSums(const Tensor& real, const Tensor& rebuilt, torch::ScalarType type, Communicator& ranks)
    : ranks_(ranks), real_(real.detach()), rebuilt_(rebuilt) {
  const torch::NoGradGuard no_grad;
  difference_ = real_ - rebuilt_, sum_ = real_ + rebuilt_;
  a_ = difference_.to(type), b_ = sum_.to(type);
  auto sums = torch::stack({a_.t().matmul(a_), b_.t().matmul(b_), b_.t().matmul(a_)});
  ranks_.all_reduce(sums, Reduce::Sum).wait();
  aa_ = sums[0], bb_ = sums[1], ba_ = sums[2];
}

Tensor CosineSums::share(double pairs) const {
  Tensor value, gradient;
  {
    const torch::NoGradGuard no_grad;
    const auto by_a = (a_.matmul(bb_) + b_.matmul(ba_.t())).to(torch::kFloat64);  // d all / d a
    const auto by_b = (b_.matmul(aa_) + a_.matmul(ba_)).to(torch::kFloat64);
    const auto own = row_dots(difference_, sum_);  // u_i.u_i - v_i.v_i
    value = ((difference_ * by_a).sum() / 2 - own.square().sum()) / pairs;
    gradient = (by_b - by_a + 4 * own.unsqueeze(1) * rebuilt_) / pairs;
  }
  return value + ((rebuilt_ - rebuilt_.detach()) * gradient).sum();  // the latter is 0, with that gradient
}

Tensor CosineSums::correlation(double pairs) const {
  const torch::NoGradGuard no_grad;
  const auto real = row_dots(real_, real_), rebuilt = row_dots(rebuilt_, rebuilt_),
             own = row_dots(difference_, sum_);
  const auto width = real_.size(1);
  auto sums = torch::cat({real_.sum(0), rebuilt_.sum(0),
                          torch::stack({real.sum(), rebuilt.sum(), real.square().sum(),
                                        rebuilt.square().sum(), own.square().sum()})});
  ranks_.all_reduce(sums, Reduce::Sum).wait();
  const auto mean_of = [&](std::int64_t at) {
    return (sums.narrow(0, at * width, width).square().sum() - sums[2 * width + at]) / pairs;
  };
  const auto aa = aa_.to(torch::kFloat64), bb = bb_.to(torch::kFloat64), ba = ba_.to(torch::kFloat64);
  const auto even = aa + bb, odd = ba + ba.t();  // U'U and V'V are their sum and difference, divided by 4
  const auto variance_of = [&](const Tensor& gram, std::int64_t at) {
    const auto squares = (gram / 4).square().sum() - sums[2 * width + 2 + at];
    return (squares / pairs - mean_of(at).square()).clamp_min(0);
  };
  const auto x = variance_of(even + odd, 0), y = variance_of(even - odd, 1);
  // The covariance by way of the gaps' variance, which is exact where the two matrices are nearly equal.
  const auto gaps = ((aa * bb).sum() + (ba * ba.t()).sum()) / 2 - sums[2 * width + 4];
  const auto apart = gaps / pairs - (mean_of(0) - mean_of(1)).square();
  const auto found = ((x + y - apart) / (2 * (x * y).sqrt().clamp_min(1e-15))).clamp(-1, 1);
  return ranks_.rank() == 0 ? found : torch::zeros_like(found);
}

}  // namespace facemae
