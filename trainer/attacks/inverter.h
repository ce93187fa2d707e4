#pragma once
// The inversion of released pictures, shared by all attackers that look at inverted ones.
#include <torch/types.h>

#include <list>
#include <memory>
#include <string>

#include "evaluation/linkage/row_memory.h"
#include "model/attacks/unet.h"
#include "trainer/attacks/trained_attackers.h"

namespace facemae {

class Inverter {
 public:
  Inverter(const TrainedAttackerConfig& config, World& world) : config_(config), world_(world) {}
  /// All ranks. Of the last two lessons (the two halves of a release) it keeps what it has learnt and inverted, and
  /// trains no more when one comes again.
  void fit(const Lesson& lesson);
  bool has_learnt() const { return !learnt_.empty(); }
  /// All ranks: [P, 3, H, W] uint8 twice, as the last lesson taught.
  torch::Tensor invert(const torch::Tensor& pictures);

 private:
  TrainedAttackerConfig config_;
  World& world_;
  struct Learnt {
    std::string lesson;  ///< its digest
    std::shared_ptr<UNet> network;
    RowMemory inverted;
  };
  std::list<Learnt> learnt_;  ///< the last one first
};

}  // namespace facemae
