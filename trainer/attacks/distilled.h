#pragma once
// A6, the distilled embedder (FaceLinkGen, arXiv 2602.02914): a copy of a face embedder learns from other people to say
// of a released picture what the embedder says of its photo.
#include "trainer/attacks/trained_attackers.h"

namespace facemae {

std::vector<std::unique_ptr<Attacker>> distilled(const TrainedAttackerConfig& config, World& world);

}  // namespace facemae
