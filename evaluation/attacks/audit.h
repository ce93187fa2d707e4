#pragma once
// The audit: every fixed attacker on a release, beside its ceiling on real pictures and a positive control.
// Tensors in, figures out; reading stores and writing reports is the caller's.
#include <torch/types.h>

#include <functional>
#include <string>
#include <vector>

#include "evaluation/linkage/linkage.h"

namespace facemae {

/// images [B, 3, H, W] float32 in -1..1 -> [B, D].
using EmbedFaces = std::function<torch::Tensor(const torch::Tensor&)>;
struct NamedEmbedder {
  std::string name;
  EmbedFaces embed;
};

/// Pictures are uint8 (0..255) or float32 (-1..1), all of one size.
struct AuditInput {
  torch::Tensor released;                   ///< [P, 3, H, W]
  torch::Tensor real;                       ///< [N, 3, H, W]: the gallery, all of it
  std::vector<std::int64_t> mate;           ///< [P] row of `real` that released picture i was made of
  std::vector<std::int64_t> real_identity;  ///< [N]
};
struct AuditOptions {
  std::vector<NamedEmbedder> embedders;
  std::int64_t max_probes = 2000;  ///< drawn from the release without repetition when it has more
  std::int64_t batch = 64;         ///< images per call of an embedder
  std::uint64_t seed = 0;
};

/// Attackers: pixel 28x28, 14x14 and 7x7, DCT 16x16, then each embedder; first all on the release, then all on
/// the positive control "mosaic 8" (the originals of the same probes, pixelated). Ceilings: for the same
/// image, the original after a mild change of brightness, contrast and noise; for the same identity and
/// verification, the original itself as the probe (the gallery's copy is taken out). Throws ConfigError and
/// DataError as rank_mates does.
std::vector<AttackReport> audit(const AuditInput& input, const AuditOptions& options);

/// The attacker finds real pictures and the control better than chance: only then does finding
/// nothing mean anything.
bool passes_controls(const AttackReport& attack, const std::vector<AttackReport>& all);

}  // namespace facemae
