#pragma once
// Features of pictures that were seen before: controls show attackers the same pictures again and again.
#include <torch/types.h>

#include <functional>
#include <map>

#include "core/checksum.h"

namespace facemae {

/// Rows that a fixed function made of pictures, by what the pictures show. Not for functions that change: whoever
/// trains a network further needs a new memory.
class RowMemory {
 public:
  using Rows = std::function<torch::Tensor(const torch::Tensor& pictures)>;

  /// pictures [N, ...] on the host -> [N, ...] of what `make` makes, on the host. `make` sees each picture that is new once, all of them
  /// in one call ([n, ...], in the order of `pictures`), and gives n rows; it is not called where none is new.
  /// Where ranks make rows together, all must ask for the same pictures. Throws what `make` throws, and ConfigError
  /// where it gives another number of rows.
  torch::Tensor rows_of(const torch::Tensor& pictures, const Rows& make);

 private:
  std::map<Hash128, torch::Tensor> rows_;
};

}  // namespace facemae
