#pragma once
// A7, inversion: a U-Net learns from other people to turn released pictures back into photos; then other attackers look
// at what it made of them.
#include "trainer/attacks/trained_attackers.h"

namespace facemae {

/// Nearest pixels on inverted pictures, the recogniser of A6 or A4 where one is given, and
/// TrainedAttackerConfig::after_inversion, all of them behind one training.
std::vector<std::unique_ptr<Attacker>> inversions(const TrainedAttackerConfig& config, World& world);

}  // namespace facemae
