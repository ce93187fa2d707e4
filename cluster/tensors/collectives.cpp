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

void check_rows(const Tensor& local, const Communicator& ranks, std::span<const std::int64_t> rows_of_rank) {
  if (static_cast<int>(rows_of_rank.size()) != ranks.size())
    throw Error("gather_rows: " + std::to_string(rows_of_rank.size()) + " numbers of rows were given for " +
                std::to_string(ranks.size()) + " ranks");
  if (local.dim() == 0 || local.size(0) != rows_of_rank[ranks.rank()])
    throw Error("gather_rows: rank " + std::to_string(ranks.rank()) + " should hold " +
                std::to_string(rows_of_rank[ranks.rank()]) + " rows, but its tensor has " +
                (local.dim() == 0 ? "no dimension" : std::to_string(local.size(0))));
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
                        const std::vector<std::int64_t>& rows, torch::ScalarType carried) {
    context->saved_data["ranks"] = reinterpret_cast<std::int64_t>(ranks);
    context->saved_data["rows"] = rows;
    return ArrivingRows(local, *ranks, rows, carried).all();
  }
  static tensor_list backward(AutogradContext* context, tensor_list cotangents) {
    Communicator* ranks = ranks_of(context);
    const RowLayout layout(context->saved_data["rows"].toIntVector());
    return {sum_to_owner(cotangents[0], *ranks, layout), {}, {}, {}};
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

ArrivingRows::ArrivingRows(const Tensor& local, Communicator& ranks,
                           std::span<const std::int64_t> rows_of_rank, torch::ScalarType carried)
    : rows_of_rank_(rows_of_rank.begin(), rows_of_rank.end()), type_(local.scalar_type()) {
  check_rows(local, ranks, rows_of_rank);
  Tensor mine = local.detach().to(carried).contiguous();
  if (ranks.size() == 1) {
    padded_ = mine;
    return;
  }
  const RowLayout layout(rows_of_rank_);
  if (mine.size(0) < layout.tallest) {
    auto taller = torch::zeros(with_rows(mine, layout.tallest), mine.options());
    taller.narrow(0, 0, mine.size(0)).copy_(mine);
    mine = taller;
  }
  padded_ = torch::empty(with_rows(mine, ranks.size() * layout.tallest), mine.options());
  work_ = ranks.all_gather(padded_, mine);
}

Tensor ArrivingRows::all() {
  work_.wait();
  const RowLayout layout(rows_of_rank_);
  if (layout.equal) return padded_.to(type_);
  std::vector<Tensor> pieces;
  for (std::size_t r = 0; r < rows_of_rank_.size(); ++r)
    pieces.push_back(padded_.narrow(0, static_cast<std::int64_t>(r) * layout.tallest, rows_of_rank_[r]));
  return torch::cat(pieces).to(type_);
}

Tensor gather_rows(const Tensor& local, Communicator& ranks, std::span<const std::int64_t> rows_of_rank,
                   std::optional<torch::ScalarType> carried) {
  const auto type = carried.value_or(local.scalar_type());
  // All rows are here, and so is their whole cotangent.
  if (ranks.size() == 1 && type == local.scalar_type()) {
    check_rows(local, ranks, rows_of_rank);
    return local;
  }
  return GatherRows::apply(local, &ranks, std::vector(rows_of_rank.begin(), rows_of_rank.end()), type);
}

Tensor sum_to_owner(const Tensor& cotangent, Communicator& ranks,
                    std::span<const std::int64_t> rows_of_rank) {
  if (ranks.size() == 1) return cotangent;
  return sum_to_owner(cotangent, ranks, RowLayout({rows_of_rank.begin(), rows_of_rank.end()}));
}

Tensor all_sum(const Tensor& local, Communicator& ranks) {
  if (ranks.size() == 1) return local;
  return AllSum::apply(local, &ranks);
}

}  // namespace facemae
