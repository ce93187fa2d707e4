#include "trainer/input/pinned_memory.h"

#include <torch/torch.h>

namespace facemae {

/// LibTorch aligns to 64 bytes at least, which is enough for bytes.
void* PinnedMemory::do_allocate(std::size_t bytes, std::size_t) {
  auto block = side_->pinned(static_cast<std::int64_t>(bytes));
  void* const at = block.data_ptr();
  const std::scoped_lock lock(mutex_);
  blocks_.emplace(at, std::move(block));
  return at;
}

void PinnedMemory::do_deallocate(void* at, std::size_t, std::size_t) {
  const std::scoped_lock lock(mutex_);
  blocks_.erase(at);
}

}  // namespace facemae
