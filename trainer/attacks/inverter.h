#pragma once
// The inversion of released pictures, shared by all attackers that look at inverted ones.
#include <torch/types.h>

#include <map>
#include <memory>
#include <string>

#include "model/attacks/unet.h"
#include "trainer/attacks/trained_attackers.h"

namespace facemae {

class Inverter {
 public:
  Inverter(const TrainedAttackerConfig& config, World& world) : config_(config), world_(world) {}
  /// All ranks. Does nothing when it was this lesson that it learnt from last.
  void fit(const Lesson& lesson);
  bool has_learnt() const { return network_ != nullptr; }
  /// All ranks: [P, 3, H, W] uint8 twice. What was inverted since the last lesson is kept.
  torch::Tensor invert(const torch::Tensor& pictures);

 private:
  TrainedAttackerConfig config_;
  World& world_;
  std::string lesson_;  ///< its digest
  std::shared_ptr<UNet> network_;
  std::map<std::string, torch::Tensor> inverted_;  ///< by digest
};

}  // namespace facemae
