#pragma once
// Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) whose statistics are those of a rank's rows, of the rows of
// all ranks, or of fixed groups of rows. Keys, values and running statistics are torch's.
#include <torch/nn.h>

#include <cstdint>
#include <functional>

namespace facemae {

/// Which rows are normalised together in training mode. Neither: those that come together.
struct NormRows {
  /// Groups of as many consecutive rows ("ghost" batches, Hoffer et al. 2017, arXiv 1705.08741); the last one may have
  /// fewer. Running statistics move to the mean over the groups. 0: no groups.
  std::int64_t group = 0;
  /// The sum of a tensor over all ranks, the same on each, without gradients; all ranks, in the same order, forward and
  /// backward. Rows of all ranks are normalised together (SyncBatchNorm), whatever their numbers. Empty: own rows.
  std::function<torch::Tensor(const torch::Tensor&)> over_ranks = {};
};

/// x [B, C] or [B, C, H, W] -> the same. Of what a recomputed pass (model/common/recomputed.h) sees, statistics are known
/// already.
struct BatchNormImpl : torch::nn::BatchNorm2dImpl {
  using torch::nn::BatchNorm2dImpl::BatchNorm2dImpl;
  torch::Tensor forward(const torch::Tensor& x);

  NormRows rows;

 private:
  torch::Tensor in_groups(const torch::Tensor& x, bool moves);
  torch::Tensor over_ranks(const torch::Tensor& x, bool moves);
  void move(const torch::Tensor& mean, const torch::Tensor& unbiased_variance);
};
TORCH_MODULE(BatchNorm);

/// Of all norms of a network.
void normalise_by(torch::nn::Module& network, const NormRows& rows);

}  // namespace facemae
