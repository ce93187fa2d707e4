#pragma once
// The row of MPI in the table of back ends: two communicators, one for gradients and one for everything else.
#include "cluster/tensors/back_end.h"

namespace facemae {

/// Carries the tensors of any device; those of a GPU go through host copies.
BackEnd mpi_back_end();

}  // namespace facemae
