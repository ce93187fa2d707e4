#pragma once
// Work that may fail on one rank without ending the run: all ranks learn of it and go on together.
#include <functional>
#include <string>

#include "cluster/control.h"

namespace facemae {

/// Runs `work` on this rank; returns "" when it succeeded on every rank, else all failures in one text, the
/// same on every rank. All ranks, same order; `work` must not communicate.
std::string attempt(Control& control, const std::function<void()>& work);

}  // namespace facemae
