#pragma once
// What the configuration of any training must fulfil.
#include <cstdint>

#include "trainer/config/run_config.h"

namespace facemae {

/// Adds every fault that does not need the store, of what all training commands share.
void validate(Options& options, const RunConfig& config);
/// Of these, of the optimizer and the learning rate.
void validate_optimizer(Options& options, const RunConfig& config);
/// Of the rows of a micro-batch (faces, or sets of them), the smallest number.
std::uint64_t smallest_micro_batch(const RunConfig& config);

}  // namespace facemae
