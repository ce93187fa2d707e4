#pragma once
// Attackers that learn nothing: small pictures, frequencies, and given embedders (A0).
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/attacks/attacker.h"
#include "evaluation/attacks/audit.h"

namespace facemae {

/// Any function of pictures as an attacker: [N, 3, H, W] uint8 or float32 -> [N, D] float32, rows of norm 1.
class FixedAttacker : public Attacker {
 public:
  using Features = std::function<torch::Tensor(const torch::Tensor&)>;
  FixedAttacker(AttackerFacts facts, Features features, bool embeds = false);
  AttackerFacts facts() const override { return facts_; }
  double least_of_other_photos() const override { return embeds_ ? kOtherPhotosOfEmbedders : 0; }
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override;
  torch::Tensor features(const torch::Tensor& pictures) const { return features_(pictures); }

 private:
  AttackerFacts facts_;
  Features features_;
  bool embeds_;
  torch::Tensor photos_,
      of_photos_;  ///< looked at last, and their features: controls show the same gallery again
};

/// Colour pictures of 28, 14 and 7 pixels a side, and the lowest frequencies: pixels need no network.
std::vector<FixedAttacker> pixel_attackers(std::int64_t height, std::int64_t width);
/// A face embedder that is not adapted to the release; `batch` images a call.
FixedAttacker embedder_attacker(const NamedEmbedder& embedder, std::int64_t batch);

}  // namespace facemae
