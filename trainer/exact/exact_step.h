#pragma once
// The gradient of a step under --exact: slots of fixed rows, each computed alone, whoever owns them.
#include <functional>
#include <vector>

#include "cluster/host/control.h"
#include "trainer/exact/slot_gradients.h"
#include "trainer/step/faces.h"
#include "trainer/step/task.h"

namespace facemae {

/// All ranks, before the first step: they compute with the same kernels, as fixed by fix_instruction_set().
/// Throws AgreedError when their processors do not allow it.
void agree_on_kernels(Control& control);

/// Fills every own slot of `gradients`, which adds micro-batches in order. `next` gives the slots of this
/// rank's next micro-batch. What is left to do is gradients.sum(). Returns the largest loss of a slot, which
/// is not finite when any is not. All ranks.
torch::Tensor accumulate_by_slot(Task& task, SlotGradients& gradients, int micro_batches,
                                 const std::function<std::vector<Faces>()>& next);

}  // namespace facemae
