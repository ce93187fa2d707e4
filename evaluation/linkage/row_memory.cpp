#include "evaluation/linkage/row_memory.h"

#include <torch/torch.h>

#include <vector>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

torch::Tensor RowMemory::rows_of(const torch::Tensor& pictures, const Rows& make) {
  const torch::Tensor shown = pictures.contiguous();
  const std::int64_t count = shown.size(0);
  const std::size_t size = count == 0 ? 0 : shown.nbytes() / static_cast<std::size_t>(count);
  const auto* bytes = static_cast<const std::byte*>(shown.const_data_ptr());
  std::vector<Hash128> seen;
  std::vector<std::int64_t> fresh;
  std::map<Hash128, torch::Tensor> made;
  for (std::int64_t i = 0; i < count; ++i) {
    seen.push_back(xxh128({bytes + static_cast<std::size_t>(i) * size, size}));
    if (!rows_.contains(seen.back()) && made.try_emplace(seen.back()).second) fresh.push_back(i);
  }
  if (count == 0) return make(shown);
  if (!fresh.empty()) {
    const auto rows = make(shown.index_select(0, torch::tensor(fresh, torch::kInt64)));
    if (rows.size(0) != static_cast<std::int64_t>(fresh.size()))
      throw ConfigError(
          fmt::format("features of {} images came back as {} rows", fresh.size(), rows.size(0)));
    for (std::size_t i = 0; i < fresh.size(); ++i)
      made.at(seen[static_cast<std::size_t>(fresh[i])]) = rows[static_cast<std::int64_t>(i)].clone();
    rows_.merge(made);
  }
  std::vector<torch::Tensor> rows;
  for (const Hash128& hash : seen) rows.push_back(rows_.at(hash));
  return torch::stack(rows);
}

}  // namespace facemae
