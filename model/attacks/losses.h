#pragma once
// What the trained attackers minimise. All are sums over rows: divided by the rows of the whole step they are a rank's
// shares of one mean.
#include <torch/types.h>

#include <cstdint>
#include <span>

#include "cluster/tensors/communicator.h"

namespace facemae {

struct ContrastShare {
  torch::Tensor loss;  ///< scalar with its graph: this rank's share of the mean over rows and both directions
  torch::Tensor found;  ///< scalar: the share of released pictures whose photo is the likeliest of the batch
};

/// InfoNCE both ways (van den Oord et al. 2018, arXiv 1807.03748; both directions as in CLIP, arXiv 2103.00020): row i
/// of `released` is to choose row i of `photos` among those of all ranks, and the reverse. Other rows that are right as
/// well are left out of the choice. `released`, `photos` [n, D] unit rows of this rank; `right` [n, K] int64: names of
/// what is right for a released picture, padded with -1; `name` [n] int64: what the photo is. All ranks, same order,
/// forward and backward.
ContrastShare contrast_share(const torch::Tensor& released, const torch::Tensor& photos,
                             const torch::Tensor& right, const torch::Tensor& name, double temperature,
                             Communicator& ranks, std::span<const std::int64_t> rows_of_rank);

/// Distillation of an embedder onto released pictures (FaceLinkGen, arXiv 2602.02914): the sum over rows of
/// (1 - cos) + 10 mean |s - t| + 10 max(0, |s - t| - |s - o| + 0.3), with s the student's vector, t the teacher's of the
/// original, o the teacher's of another person. All [n, D], unit rows.
torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& target,
                                const torch::Tensor& other);

/// Structural similarity of pictures in [-1, 1] (Wang et al. 2004): Gaussian window of 11 pixels, sigma 1.5; the mean
/// over channels and places where the window fits. [B, C, H, W] twice -> [B]. Sides of 11 or more.
torch::Tensor structural_similarity(const torch::Tensor& a, const torch::Tensor& b);

/// The sum over pictures of mean |a - b| + (1 - structural similarity).
torch::Tensor inversion_loss(const torch::Tensor& inverted, const torch::Tensor& photos);

}  // namespace facemae
