#include "checkpoint/tensors/fetch.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>

namespace facemae {
namespace {

/// All bytes of a tensor as a row, and where they begin in its memory.
struct Placed {
  const FetchPiece* piece;
  torch::Tensor flat;  ///< uint8
  std::int64_t begin;
  const void* memory() const { return flat.storage().unsafeGetStorageImpl(); }
  std::int64_t end() const { return begin + static_cast<std::int64_t>(piece->range.bytes); }
};

Placed placed(const FetchPiece& piece) {
  const auto flat = piece.value.detach().contiguous().view({-1}).view(torch::kUInt8);
  return {&piece, flat, flat.storage_offset() + static_cast<std::int64_t>(piece.range.begin)};
}

}  // namespace

std::vector<FetchRun> runs_of(std::span<const FetchPiece> pieces) {
  std::vector<Placed> sorted;
  for (const auto& piece : pieces)
    if (piece.range.bytes > 0) sorted.push_back(placed(piece));
  std::sort(sorted.begin(), sorted.end(), [](const Placed& a, const Placed& b) {
    return std::pair(a.memory(), a.begin) < std::pair(b.memory(), b.begin);
  });
  std::vector<FetchRun> runs;
  for (auto first = sorted.begin(); first != sorted.end();) {
    std::int64_t end = first->end();
    auto last = first + 1;
    for (; last != sorted.end() && last->memory() == first->memory() && last->begin <= end + kFetchGap;
         ++last)
      end = std::max(end, last->end());
    FetchRun run{.bytes = first->flat.as_strided({end - first->begin}, {1}, first->begin), .parts = {}};
    for (const std::int64_t begin = first->begin; first != last; ++first)
      run.parts.push_back(
          {static_cast<std::uint64_t>(first->begin - begin), first->piece->range.bytes, first->piece->at});
    runs.push_back(std::move(run));
  }
  return runs;
}

void Fetch::begin(std::span<const FetchPiece> changing, std::span<const FetchPiece> steady) {
  const torch::NoGradGuard no_grad;
  runs_ = runs_of(changing);
  const std::size_t before_steady = runs_.size();
  for (auto& run : runs_of(steady)) runs_.push_back(std::move(run));
  std::int64_t bytes = 0;
  for (const auto& run : runs_) bytes += run.bytes.size(0);
  if (!landing_.defined() || landing_.size(0) < bytes) landing_ = side_->pinned(bytes);
  side_->wait(*side_->mark_computing());
  std::int64_t used = 0;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (i == before_steady && i > 0) side_->computing_waits(*side_->mark());
    const std::int64_t size = runs_[i].bytes.size(0);
    side_->copy(landing_.narrow(0, used, size), runs_[i].bytes);
    used += size;
  }
  copied_ = side_->mark();
  if (before_steady == runs_.size()) computing_waits();
}

void Fetch::computing_waits() const {
  if (copied_) side_->computing_waits(*copied_);
}

void Fetch::collect(std::byte* to) {
  if (!copied_) return;
  copied_->wait();
  const auto* from = static_cast<const std::byte*>(landing_.const_data_ptr());
  for (const auto& run : runs_) {
    for (const auto& part : run.parts) std::memcpy(to + part.at, from + part.from, part.bytes);
    from += run.bytes.size(0);
  }
  runs_.clear();  // nothing of the training state is held longer than needed
}

}  // namespace facemae
