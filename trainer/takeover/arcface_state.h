#pragma once
// Where things lie in a file that a rank of arcface_torch saved: a dict of epoch, global_step, state_dict_backbone,
// state_dict_softmax_fc, state_optimizer and state_lr_scheduler.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/tensors/pytorch.h"

namespace facemae {

/// What the files say of how the run was trained; the batch size is in none of them.
struct ArcfaceSettings {
  std::optional<std::uint64_t> step;  ///< steps done
  std::string optimizer;              ///< sgd | adamw; "" when unknown
  std::optional<double> lr, power, weight_decay, momentum, beta1, beta2;
  std::optional<std::uint64_t> total_steps, warmup_steps;
};
ArcfaceSettings arcface_settings(const Pickle& pickle);
std::optional<std::uint64_t> arcface_step(const Pickle& pickle);

/// The rank's class centres [own classes, width]: of a file of all states, or of one that holds nothing else. Throws
/// DataError when there are none.
const PickleValue& arcface_centres(const TorchFile& file, bool whole);

/// A moment ("momentum_buffer", "exp_avg" ...) of the backbone's parameter `number`, counted in its order, or of the class
/// centres; null where there is none.
const PickleValue* moment_of_parameter(const Pickle& pickle, std::int64_t number, std::string_view moment);
const PickleValue* moment_of_centres(const Pickle& pickle, std::string_view moment);

}  // namespace facemae
