#include "tests/ranked/cluster/tensors/conformance.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

using torch::Tensor;

/// Rank r's values: small whole numbers, so that sums are exact in every type.
Tensor values_of(int rank, std::int64_t count, torch::ScalarType type) {
  return torch::arange(count, torch::kInt64).mul(7).add(3 * rank).remainder(11).to(type);
}

Tensor reduced(const std::vector<Tensor>& parts, Reduce op) {
  const auto all = torch::stack(parts).to(torch::kFloat64);
  const auto result = op == Reduce::Sum   ? all.sum(0)
                      : op == Reduce::Min ? std::get<0>(all.min(0))
                                          : std::get<0>(all.max(0));
  return result.to(parts[0].scalar_type());
}

struct Case {
  Communicator& ranks;
  torch::Device device;
  torch::ScalarType type;
  std::int64_t count;

  Tensor mine() const { return values_of(ranks.rank(), count, type).to(device); }
  Tensor of_all(std::int64_t each) const { return torch::cat(parts(each)); }
  std::vector<Tensor> parts(std::int64_t each) const {
    std::vector<Tensor> all;
    all.reserve(static_cast<std::size_t>(ranks.size()));
    for (int r = 0; r < ranks.size(); ++r) all.push_back(values_of(r, each, type));
    return all;
  }
  void expect_equal(const Tensor& got, const Tensor& want, const char* verb) const {
    EXPECT_TRUE(torch::equal(got.cpu(), want))
        << verb << " of " << count << ' ' << torch::toString(type) << ": got\n"
        << got.cpu() << "\nwant\n"
        << want;
  }

  void check() const {
    for (const auto op : {Reduce::Sum, Reduce::Min, Reduce::Max}) {
      auto tensor = mine();
      ranks.all_reduce(tensor, op).wait();
      expect_equal(tensor, count == 0 ? values_of(0, 0, type) : reduced(parts(count), op), "all_reduce");
      auto part = torch::empty({count}, mine().options());
      ranks.reduce_scatter(part, values_of(ranks.rank(), count * ranks.size(), type).to(device), op).wait();
      if (count > 0)
        expect_equal(part, reduced(parts(count * ranks.size()), op).narrow(0, ranks.rank() * count, count),
                     "reduce_scatter");
    }
    auto all = torch::empty({count * ranks.size()}, mine().options());
    ranks.all_gather(all, mine()).wait();
    expect_equal(all, of_all(count), "all_gather");
    for (int root = 0; root < ranks.size(); ++root) {
      auto tensor = mine();
      ranks.broadcast(tensor, root).wait();
      expect_equal(tensor, values_of(root, count, type), "broadcast");
    }
  }
};

void expect_many_in_flight(Communicator& ranks, torch::Device device) {
  std::vector<Tensor> tensors;
  std::vector<Work> works;
  for (int i = 0; i < 20; ++i) {
    tensors.push_back(torch::full({1000 + i}, i + ranks.rank(), torch::TensorOptions(device)));
    works.push_back(ranks.all_reduce(tensors.back(), Reduce::Sum));
  }
  for (std::size_t i = 20; i-- > 0;) {
    works[i].wait();
    works[i].wait();  // a second wait is nothing
    const double want = static_cast<double>(i) * ranks.size() + ranks.size() * (ranks.size() - 1) / 2.0;
    EXPECT_EQ(tensors[i].min().item<double>(), want);
    EXPECT_EQ(tensors[i].max().item<double>(), want);
  }
}

void expect_refusals(Communicator& ranks, torch::Device device) {
  const auto tensor = torch::zeros({4, 4}, torch::TensorOptions(device));
  EXPECT_THROW((void)ranks.all_reduce(tensor.t().slice(0, 0, 2), Reduce::Sum), Error);
  EXPECT_THROW((void)ranks.all_gather(torch::zeros({17 * ranks.size()}, tensor.options()), tensor), Error);
  EXPECT_THROW((void)ranks.all_gather(
                   torch::zeros({16 * ranks.size()}, tensor.options().dtype(torch::kFloat64)), tensor),
               Error);
  EXPECT_THROW((void)ranks.broadcast(tensor, ranks.size()), Error);
  // Of another device: a pointer that the back end must never see.
  const auto foreign = torch::zeros({16}, torch::kMeta),
             foreign_all = torch::zeros({16 * ranks.size()}, torch::kMeta);
  const auto all = torch::zeros({16 * ranks.size()}, tensor.options());
  EXPECT_EQ(ranks.device().type(), device.type());
  EXPECT_THROW((void)ranks.all_reduce(foreign, Reduce::Sum), Error);
  EXPECT_THROW((void)ranks.broadcast(foreign, 0), Error);
  EXPECT_THROW((void)ranks.all_gather(foreign_all, foreign), Error);
  EXPECT_THROW((void)ranks.all_gather(all, foreign), Error);
  EXPECT_THROW((void)ranks.reduce_scatter(foreign, all, Reduce::Sum), Error);
  EXPECT_THROW((void)ranks.reduce_scatter(foreign, foreign_all, Reduce::Sum), Error);
  EXPECT_NO_THROW(ranks.check());
}

}  // namespace

void expect_conforming(Communicator& ranks, torch::Device device) {
  for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16, torch::kHalf, torch::kInt32,
                          torch::kInt64, torch::kUInt8})
    for (const std::int64_t count : {0, 1, 3, 7, 64, 1001}) Case{ranks, device, type, count}.check();
  expect_many_in_flight(ranks, device);
  expect_refusals(ranks, device);
}

}  // namespace facemae
