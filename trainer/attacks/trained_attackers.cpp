#include "trainer/attacks/trained_attackers.h"

#include <torch/torch.h>

#include <array>
#include <iterator>

#include "core/kinds.h"
#include "model/recognition/aliases.h"
#include "model/recognition/recognition.h"
#include "trainer/attacks/distilled.h"
#include "trainer/attacks/inversion.h"
#include "trainer/attacks/linker.h"
#include "trainer/attacks/recogniser.h"
#include "trainer/step/precision.h"

namespace facemae {
namespace {

constexpr std::array kAttackers = {
    TrainedKind{"A4", "the recogniser that anybody trains on the release", own_recogniser},
    TrainedKind{"A5", "two small networks that learn to link pictures with photos and with people", linkers},
    TrainedKind{"A6", "a face embedder that learns to see through the mechanism", distilled},
    TrainedKind{"A7", "a network that turns released pictures back, before other attackers look", inversions},
    TrainedKind{"A9", "a recogniser trained on released pictures of the attacker's own people", parrot}};

}  // namespace

std::span<const TrainedKind> trained_kinds() { return kAttackers; }

std::vector<std::unique_ptr<Attacker>> trained_attackers(const std::vector<std::string>& ids,
                                                         const TrainedAttackerConfig& config, World& world) {
  precision_for(config.budget.precision, world.device());  // or says why not, before anybody trains
  std::vector<std::unique_ptr<Attacker>> attackers;
  for (const auto& id : ids) {
    auto made = row_of(trained_kinds(), id, "choosing attackers that train").make(config, world);
    std::move(made.begin(), made.end(), std::back_inserter(attackers));
  }
  return attackers;
}

void declare(Options& options, TrainedAttackerConfig& config) {
  declare(options, config.budget);
  options
      .add(
          "recogniser", config.recogniser,
          "A4: recognition network that was trained on the release: RUN, a checkpoint, or safetensors with metadata; "
          "without it one is trained here")
      .add(
          "teacher", config.teacher,
          "A6 and A7: face embedder that the attacker has; without it A6 trains one on the attacker's photos")
      .choice("attack-network", config.network, network_kinds(),
              "network of recognisers that are trained here")
      .understood(network_name_now);
}

}  // namespace facemae
