#pragma once
// The whole program but for what it computes and communicates with: finds the command, runs it, turns failures into
// messages and exit codes.
#include <string>
#include <vector>

#include "cluster/tensors/back_end.h"
#include "cluster/world/accelerator.h"

namespace facemae {

/// `words`: the command line without the program's name. Returns the exit code of this rank. Once per process.
int run_program(const BackEnds& back_ends, const Accelerator& gpus, const std::vector<std::string>& words);

}  // namespace facemae
