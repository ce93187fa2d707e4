#pragma once
// The options of training commands, with the help that teaches them.
#include "trainer/config/run_config.h"

namespace facemae {

/// Those that every training command has.
void declare_common(Options& options, RunConfig& config);
/// For a dry run without a store.
void declare_plan(Options& options, RunConfig& config);
/// Of these, the optimizer and the learning rate.
void declare_optimizer(Options& options, RunConfig& config);

// Beyond these nothing is meant, and sums overflow.
inline constexpr double kMostOfAnOrder = 1 << 30;
inline constexpr double kMostOfAFloat = 3e38;
inline constexpr double kMostEpochs = 1e6;

}  // namespace facemae
