#pragma once
// FaceMAEs like the one under attack, each trained on a random half of the people: what a model does with someone that
// it has never seen.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/tensors/weights.h"
#include "cluster/world/world.h"
#include "core/files/files.h"
#include "data/store/store.h"
#include "trainer/config/run_config.h"

namespace facemae {

/// Which references a person is in, when people are halved anew for each pair of them: the second of a pair has the
/// half that the first has not, so everybody is in exactly one of the two. Pure in (seed, people, pair).
/// [references][people].
std::vector<std::vector<bool>> halves_of_people(std::int64_t people, int references, std::uint64_t seed);

/// The settings of a pretraining from the text that its run kept, without what belongs to one start on one machine.
/// Throws ConfigError when they are of something else.
PretrainConfig read_pretraining(const Path& settings);

struct ReferenceConfig {
  Path folder;  ///< the references are FOLDER/A11-ref0, ..., with the views that they learn from beside them
  int references = 2;                  ///< an even number
  std::optional<std::uint64_t> steps;  ///< of each; those of the model under attack by default
  std::uint64_t seed = 0;
};

/// All ranks. Trains the references as `pretrain` would, with the settings of `like`, seeds of their own and the halves
/// halves_of_people(store.identities(), ...) of `store`; finished ones are taken as they are, and interrupted ones go
/// on. Returns their runs. Throws ConfigError when `like` does not say how it was
/// trained, Error when a reference was stopped by notice, and what run_training() does.
std::vector<Path> train_references(World& world, const Weights& like, const Store& store,
                                   const ReferenceConfig& config);

}  // namespace facemae
