#pragma once
// Retries reads from storage that fails for a moment: only after some seconds is a checkpoint given up for
// that. Free of LibTorch.
#include <chrono>
#include <functional>

#include "core/error.h"

namespace facemae {

/// Runs `read`, again after pauses (`pause`, then twice that, then four times) while it throws FileErrors
/// that may pass (EIO, ESTALE, ...); then throws UnreadableCheckpoint. Throws CheckpointError at once for a
/// file that is missing or may not be opened. Anything else that `read` throws passes through.
void patiently(const std::function<void()>& read,
               std::chrono::milliseconds pause = std::chrono::milliseconds(1000));

}  // namespace facemae
