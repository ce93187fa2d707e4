#include "cluster/tensors/gather_to_root.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

namespace facemae {

torch::Tensor gather_to_root(const torch::Tensor& local, Control& control,
                             std::span<const std::int64_t> rows_of_rank, std::size_t piece_bytes) {
  torch::Tensor own = local.contiguous();
  if (control.size() == 1) return own;
  // A rank without rows may not know their width.
  const std::uint64_t width = control.any_of(own.size(0) > 0 ? static_cast<std::uint64_t>(own.size(1)) : 0);
  const std::size_t row_bytes = width * sizeof(float);
  torch::Tensor all;
  std::byte* into = nullptr;
  if (control.is_root()) {
    const auto rows = std::accumulate(rows_of_rank.begin(), rows_of_rank.end(), std::int64_t{0});
    all = torch::empty({rows, static_cast<std::int64_t>(width)});
    into = static_cast<std::byte*>(all.data_ptr());
    if (own.size(0) > 0) std::memcpy(into, own.data_ptr(), own.nbytes());
    into += static_cast<std::size_t>(rows_of_rank[0]) * row_bytes;
  }
  for (int sender = 1; sender < control.size(); ++sender) {
    const std::size_t bytes =
        static_cast<std::size_t>(rows_of_rank[static_cast<std::size_t>(sender)]) * row_bytes;
    for (std::size_t first = 0; first < bytes; first += piece_bytes) {
      std::string piece;
      if (control.rank() == sender)
        piece.assign(static_cast<const char*>(own.data_ptr()) + first, std::min(piece_bytes, bytes - first));
      const auto pieces = control.gather(piece);
      if (!control.is_root()) continue;
      const std::string& sent = pieces[static_cast<std::size_t>(sender)];
      std::memcpy(into, sent.data(), sent.size());
      into += sent.size();
    }
  }
  return all;
}

}  // namespace facemae
