#include "cluster/tensors/collectives.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/error.h"

namespace facemae {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

std::vector<std::int64_t> with_rows(const Tensor& like, std::int64_t rows) {
  auto sizes = like.sizes().vec();
  sizes[0] = rows;
  return sizes;
}

/// Where the rows of each rank lie among the rows of all, and how tall the slot of one rank
/// is in a padded layout.
struct RowLayout {
  explicit RowLayout(std::vector<std::int64_t> rows_of_rank) : rows(std::move(rows_of_rank)) {
    tallest = *std::max_element(rows.begin(), rows.end());
    total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
    equal = total == tallest * static_cast<std::int64_t>(rows.size());
  }
  std::vector<std::int64_t> rows;
  std::int64_t tallest = 0, total = 0;
  bool equal = true;
};

Tensor gather(const Tensor& local, Communicator& ranks, const RowLayout& layout) {
  const auto slots = static_cast<std::int64_t>(layout.rows.size());
  Tensor mine = local.contiguous();
  if (mine.size(0) < layout.tallest) {
    mine = torch::zeros(with_rows(local, layout.tallest), local.options());
    mine.narrow(0, 0, local.size(0)).copy_(local);
  }
  Tensor padded = torch::empty(with_rows(local, slots * layout.tallest), local.options());
  ranks.all_gather(padded, mine).wait();
  if (layout.equal) return padded;
  std::vector<Tensor> pieces;
  for (std::int64_t r = 0; r < slots; ++r)
    pieces.push_back(padded.narrow(0, r * layout.tallest, layout.rows[r]));
  return torch::cat(pieces);
}

/// The sum over the ranks of their cotangents for our rows.
Tensor sum_to_owner(const Tensor& cotangent, Communicator& ranks, const RowLayout& layout) {
  const auto slots = static_cast<std::int64_t>(layout.rows.size());
  Tensor padded = cotangent.contiguous();
  if (!layout.equal) {
    padded = torch::zeros(with_rows(cotangent, slots * layout.tallest), cotangent.options());
    std::int64_t first = 0;
    for (std::int64_t r = 0; r < slots; ++r) {
      padded.narrow(0, r * layout.tallest, layout.rows[r]).copy_(cotangent.narrow(0, first, layout.rows[r]));
      first += layout.rows[r];
    }
  }
  Tensor mine = torch::empty(with_rows(cotangent, layout.tallest), cotangent.options());
  ranks.reduce_scatter(mine, padded, Reduce::Sum).wait();
  return mine.narrow(0, 0, layout.rows[ranks.rank()]);
}

/// An autograd context keeps values of few types, and numbers are one.
Communicator* ranks_of(AutogradContext* context) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<Communicator*>(context->saved_data["ranks"].toInt());
}

// The communicator outlives every graph: World owns it and main ends the graph first, so a
// raw pointer is enough.
struct GatherRows : torch::autograd::Function<GatherRows> {
  static Tensor forward(AutogradContext* context, const Tensor& local, Communicator* ranks,
                        const std::vector<std::int64_t>& rows) {
    context->saved_data["ranks"] = reinterpret_cast<std::int64_t>(ranks);
    context->saved_data["rows"] = rows;
    return gather(local, *ranks, RowLayout(rows));
  }
  static tensor_list backward(AutogradContext* context, tensor_list cotangents) {
    Communicator* ranks = ranks_of(context);
    const RowLayout layout(context->saved_data["rows"].toIntVector());
    return {sum_to_owner(cotangents[0], *ranks, layout), {}, {}};
  }
};

struct AllSum : torch::autograd::Function<AllSum> {
  static Tensor forward(AutogradContext* context, const Tensor& local, Communicator* ranks) {
    context->saved_data["ranks"] = reinterpret_cast<std::int64_t>(ranks);
    Tensor sum = local.clone(torch::MemoryFormat::Contiguous);
    ranks->all_reduce(sum, Reduce::Sum).wait();
    return sum;
  }
  static tensor_list backward(AutogradContext* context, tensor_list cotangents) {
    Communicator* ranks = ranks_of(context);
    Tensor sum = cotangents[0].clone(torch::MemoryFormat::Contiguous);
    ranks->all_reduce(sum, Reduce::Sum).wait();
    return {sum, {}};
  }
};

}  // namespace

Tensor gather_rows(const Tensor& local, Communicator& ranks, std::span<const std::int64_t> rows_of_rank) {
  if (static_cast<int>(rows_of_rank.size()) != ranks.size())
    throw Error("gather_rows: " + std::to_string(rows_of_rank.size()) + " numbers of rows were given for " +
                std::to_string(ranks.size()) + " ranks");
  if (local.dim() == 0 || local.size(0) != rows_of_rank[ranks.rank()])
    throw Error("gather_rows: rank " + std::to_string(ranks.rank()) + " should hold " +
                std::to_string(rows_of_rank[ranks.rank()]) + " rows, but its tensor has " +
                (local.dim() == 0 ? "no dimension" : std::to_string(local.size(0))));
  if (ranks.size() == 1) return local;  // all rows are here, and so is their whole cotangent
  return GatherRows::apply(local, &ranks, std::vector(rows_of_rank.begin(), rows_of_rank.end()));
}

Tensor all_sum(const Tensor& local, Communicator& ranks) {
  if (ranks.size() == 1) return local;
  return AllSum::apply(local, &ranks);
}

}  // namespace facemae
