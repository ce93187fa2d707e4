// Distances and their gradient against at::cdist's own, in double precision and in float32.
#include "model/facemae/distances.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace facemae {
namespace {

using torch::Tensor;

struct DistancesAndGradients {
  Tensor value, of_x, of_y;
};

template <class Distance>
DistancesAndGradients differentiate(const Distance& distance, const Tensor& x, const Tensor& y,
                                    const Tensor& cotangent) {
  const auto a = x.clone().requires_grad_(), b = y.clone().requires_grad_();
  const auto value = distance(a, b);
  value.backward(cotangent);
  return {value.detach(), a.grad(), b.grad()};
}

Tensor by_cdist(const Tensor& x, const Tensor& y) {
  return (at::cdist(x, y, 2.0, /*compute_mode=*/2).square() + 1e-12).sqrt();
}

double distance_of(const Tensor& found, const Tensor& wanted) {
  return ((found.to(torch::kFloat64) - wanted).norm() / wanted.norm()).item<double>();
}

/// y holds rows of x as they are, some a little aside, and others.
TEST(Distances, HaveTheGradientOfCdistAlsoWhereRowsAreEqualOrNearlySo) {
  torch::manual_seed(3);
  const auto x = torch::randn({6, 40}) + 2;
  for (const double aside : {0.0, 1e-6, 1e-4, 1e-2, 1.0}) {
    const auto y = torch::cat({x, x + aside * torch::randn({6, 40}), torch::randn({5, 40})});
    const auto cotangent = torch::randn({6, 17});
    const auto exact = differentiate(by_cdist, x.to(torch::kFloat64), y.to(torch::kFloat64),
                                     cotangent.to(torch::kFloat64)),
               before = differentiate(by_cdist, x, y, cotangent),
               found = differentiate(distances, x, y, cotangent);
    EXPECT_TRUE(torch::equal(found.value, before.value)) << aside;
    EXPECT_LT(distance_of(found.of_x, exact.of_x), 1e-5) << aside;
    EXPECT_LT(distance_of(found.of_y, exact.of_y), 1e-5) << aside;
    EXPECT_LT(distance_of(found.of_x, before.of_x.to(torch::kFloat64)), 1e-5) << aside;
  }
}

TEST(Distances, TakeNoRows) {
  const auto x = torch::zeros({0, 3}).requires_grad_(), y = torch::ones({2, 3});
  const auto found = distances(x, y);
  EXPECT_EQ(found.sizes(), (std::vector<std::int64_t>{0, 2}));
  found.sum().backward();
  EXPECT_EQ(x.grad().sizes(), x.sizes());
}

}  // namespace
}  // namespace facemae
