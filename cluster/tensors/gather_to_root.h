#pragma once
// Rows of all ranks on rank 0, and on no other.
#include <torch/types.h>

#include <cstdint>
#include <span>

#include "cluster/host/control.h"

namespace facemae {

/// local: [rows_of_rank[rank], width] float32 on the host; all ranks know all numbers of rows. Returns all rows in rank
/// order on rank 0, elsewhere an undefined tensor. Rows travel in pieces of at most `piece_bytes`, one rank after the
/// other: beside the result rank 0 holds one piece. All ranks, same order.
torch::Tensor gather_to_root(const torch::Tensor& local, Control& control,
                             std::span<const std::int64_t> rows_of_rank,
                             std::size_t piece_bytes = std::size_t{16} << 20);

}  // namespace facemae
