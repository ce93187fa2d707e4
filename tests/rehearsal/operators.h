#pragma once
// The operators of the stand-in: the CPU's kernels on the same memory.

namespace facemae::rehearsal {

/// Every operator of LibTorch that has a kernel for CPUs, those that CPUs compute as a whole, and the few that a
/// device must have of its own: memory, copies, notes on streams.
void register_operators();
/// Under autocast, casts what autocast casts on CPUs, so that results can be compared to the last bit.
void register_autocast();

}  // namespace facemae::rehearsal
