#pragma once
// Micro-batches on their way to an accelerator: while one is computed, the bytes of the next are copied.
#include <array>
#include <memory>

#include "cluster/tensors/side_stream.h"
#include "trainer/step/faces.h"

namespace facemae {

/// Two sets of buffers on the device take turns. Everything is ordered by marks on the device; the host waits only
/// where it is two micro-batches ahead of the copies.
class Transfer {
 public:
  /// Faces are mirrored by `seed` when `flip` says so, and labels come along when `labels` does.
  Transfer(std::shared_ptr<SideStream> side, const BatchPlan& plan, std::uint64_t seed, bool flip,
           bool labels);
  ~Transfer();  ///< waits for copies under way: their memory goes
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Begins to copy; its pixels and noise lie in page-locked memory. The last one must have been received.
  void send(std::unique_ptr<ByteBatch> bytes);
  bool under_way() const { return under_way_; }
  /// What was sent, as tensors that belong to the calling thread's stream; which waits for the copies, not the host.
  Faces receive();
  const ByteBatch* sent() const;  ///< what is under way; null: nothing
  /// What was sent, unused; null when nothing is under way.
  std::unique_ptr<ByteBatch> take_back();
  /// A batch whose bytes are not needed any more, to be filled again; null when there is none.
  std::unique_ptr<ByteBatch> spare();

 private:
  struct Buffers;
  Buffers& turn();

  std::shared_ptr<SideStream> side_;
  BatchPlan plan_;
  std::uint64_t seed_;
  bool flip_, labels_, under_way_ = false;
  std::array<std::unique_ptr<Buffers>, 2> buffers_;
  std::size_t turn_ = 0;  ///< of the next to be sent, or of what is under way
};

}  // namespace facemae
