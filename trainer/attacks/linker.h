#pragma once
// A5, the two-tower linker: two small networks learn from pairs of other people to give a released picture and its
// photo the same vector.
#include "trainer/attacks/trained_attackers.h"

namespace facemae {

/// Two of them: one learns which photo a picture was made of, the other whose it is.
std::vector<std::unique_ptr<Attacker>> linkers(const TrainedAttackerConfig& config, World& world);

}  // namespace facemae
