#pragma once
// Attackers that recognise faces: A4, the recogniser that anybody trains on a release; A9, a parrot (Newton, Sweeney
// and Malin 2005), which learns faces as the mechanism leaves them from people of its own.
#include <memory>
#include <string>
#include <vector>

#include "model/recognition/recognition.h"
#include "trainer/attacks/trained_attackers.h"

namespace facemae {

/// Lays the network out as its device computes it fastest, and adds the line of a run's settings that says so.
void lay_out_for(torch::Device device, const std::string& name, RecognitionNetwork& network,
                 std::vector<std::string>& settings);

/// All ranks: a recogniser of `classes` [P] that is trained on the pictures, within the budget, in evaluation mode.
/// `name` and `digest` as of AttackerRun.
std::shared_ptr<RecognitionNetwork> trained_recogniser(const std::string& name, const torch::Tensor& pictures,
                                                       const std::vector<std::int64_t>& classes,
                                                       const std::string& digest,
                                                       const TrainedAttackerConfig& config, World& world);
/// All ranks: from a run, a checkpoint or a file. On the device of the world.
std::shared_ptr<RecognitionNetwork> stored_recogniser(const std::string& from, World& world);

std::vector<std::unique_ptr<Attacker>> own_recogniser(const TrainedAttackerConfig& config, World& world);
std::vector<std::unique_ptr<Attacker>> parrot(const TrainedAttackerConfig& config, World& world);

}  // namespace facemae
