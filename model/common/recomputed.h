#pragma once
// Activation checkpointing (Chen et al. 2016, arXiv 1604.06174): a part of a network that keeps its input alone and is
// computed again in the backward pass.
#include <torch/types.h>

#include <functional>
#include <vector>

namespace facemae {

using Block = std::function<torch::Tensor(const torch::Tensor&)>;

/// block(x), of which only x is kept. `parameters` are all that the block differentiates beside x. The block draws
/// nothing, or the same again, so both passes are equal; what it changes on its way (statistics of norms) it leaves alone
/// in the second one, where recomputing() is true. Post hooks of a parameter's gradient accumulator fire once, as usual;
/// hooks on the parameter tensor itself fire twice. Without gradients it is block(x).
torch::Tensor recomputed(const Block& block, const std::vector<torch::Tensor>& parameters,
                         const torch::Tensor& x);

/// Is the calling thread within a second pass?
bool recomputing();

}  // namespace facemae
