#pragma once
// Page-locked host memory, from which a GPU fetches without a copy in between.
#include <torch/types.h>

#include <map>
#include <memory_resource>
#include <mutex>

#include "cluster/tensors/side_stream.h"

namespace facemae {

/// Safe from many threads. For copies by `side`.
class PinnedMemory final : public std::pmr::memory_resource {
 public:
  explicit PinnedMemory(std::shared_ptr<SideStream> side) : side_(std::move(side)) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* at, std::size_t bytes, std::size_t alignment) override;
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

  std::shared_ptr<SideStream> side_;
  std::mutex mutex_;
  std::map<void*, torch::Tensor> blocks_;
};

}  // namespace facemae
