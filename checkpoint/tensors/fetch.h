#pragma once
// Fetches pieces of a device's tensors into page-locked memory, in few large copies: parameters and moments are views of
// flat tensors, so pieces that are neighbours on the device travel together.
#include <cstddef>
#include <span>
#include <vector>

#include "checkpoint/format/layout.h"
#include "cluster/tensors/side_stream.h"

namespace facemae {

/// Bytes of a tensor, of any type and device, that are wanted.
struct FetchPiece {
  torch::Tensor value;
  ByteRange range;       ///< of the tensor's own bytes in C order
  std::uint64_t at = 0;  ///< where they belong in what is put together
};
/// Bytes of one memory that are copied at once.
struct FetchRun {
  torch::Tensor bytes;  ///< uint8 [n], where the pieces are
  struct Part {
    std::uint64_t from, bytes, at;  ///< bytes of the run, and where they belong
  };
  std::vector<Part> parts;
};

/// Pieces in as few runs as their places in memory allow: those that are at most `kFetchGap` bytes apart share one.
/// Tensors that are not contiguous are put in order first, each on its own.
std::vector<FetchRun> runs_of(std::span<const FetchPiece> pieces);
inline constexpr std::int64_t kFetchGap = 64;

/// One save's copies from a device. Memory is kept for the next save.
class Fetch {
 public:
  explicit Fetch(std::shared_ptr<SideStream> side) : side_(std::move(side)) {}
  /// Enqueues the copies of the state that the calling thread's stream has been asked to compute so far. That stream
  /// goes on behind those of `changing`; the host waits for none of them.
  void begin(std::span<const FetchPiece> changing, std::span<const FetchPiece> steady);
  /// The calling thread's stream goes on behind all copies.
  void computing_waits() const;
  /// Waits for the copies, from any thread, and puts the pieces where they belong in `to`.
  void collect(std::byte* to);

 private:
  std::shared_ptr<SideStream> side_;
  torch::Tensor landing_;  ///< page-locked; grows only when the state does
  std::vector<FetchRun> runs_;
  SideStream::MarkPtr copied_;
};

}  // namespace facemae
