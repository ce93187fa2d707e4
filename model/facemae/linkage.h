#pragma once
// How well fixed attackers link rebuilt faces to their originals among those of a batch, as a loss that pretraining
// can hold down (docs/METHOD.md, "Linkage"). b own faces, G over all ranks.
#include <torch/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cluster/tensors/communicator.h"

namespace facemae {

/// An attacker. Its features of a picture are one row, from which scores are computed.
struct LinkageKind {
  const char* name;
  const char* help;
  torch::Tensor (*features)(const torch::Tensor& images);  ///< [b, 3, H, W] in [-1, 1] -> [b, F]
  /// log-odds up to a summand of each row: rebuilt [b, F], real [G, F] -> [b, G]. `kept` is the share of patches that
  /// the encoder saw.
  torch::Tensor (*scores)(const torch::Tensor& rebuilt, const torch::Tensor& real, double kept);
};
std::span<const LinkageKind> linkage_kinds();
std::vector<std::string> linkage_names();
std::string linkage_help();
/// Those named, with commas between them; "" names all. Throws ConfigError with the nearest name.
std::vector<LinkageKind> linkage_from(const std::string& names);

struct LinkageLoss {
  torch::Tensor
      share;  ///< this rank's share; the shares of all ranks sum to the loss. Differentiable in `rebuilt`.
  torch::Tensor
      hits;  ///< [attackers], no gradient: own faces whose original scores highest, ties counted as missed
};
/// mean over faces i of max over attackers a of max(0, log p^a_ii + log G), p^a_i the softmax of a's scores over the
/// originals of all ranks: 0 where no attacker does better than to guess. `rebuilt` and `real` have the features of
/// all attackers side by side [b, sum of F], `widths` says how wide those of each are; the real side is detached.
/// All ranks call it, same order; rows_of_rank sums to G.
LinkageLoss linkage_share(const torch::Tensor& rebuilt, const torch::Tensor& real,
                          std::span<const LinkageKind> attackers, std::span<const std::int64_t> widths,
                          double kept, Communicator& ranks, std::span<const std::int64_t> rows_of_rank);

}  // namespace facemae
