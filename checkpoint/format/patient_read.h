#pragma once
// Reading from storage that fails for a moment: a checkpoint is given up for that only after some seconds.
// Free of LibTorch.
#include <chrono>
#include <functional>

#include "core/error.h"

namespace facemae {

/// Runs `read`, again after pauses (`pause`, then twice that, then four times) while it throws FileErrors
/// that may pass (EIO, ESTALE, ...); then throws UnreadableCheckpoint. Throws CheckpointError at once for a
/// file that is not there or not to be opened. What `read` throws otherwise goes through.
void patiently(const std::function<void()>& read,
               std::chrono::milliseconds pause = std::chrono::milliseconds(1000));

}  // namespace facemae
