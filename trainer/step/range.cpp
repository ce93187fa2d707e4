#include "trainer/step/range.h"

#include <torch/csrc/profiler/stubs/base.h>

#include <string_view>

namespace facemae {
namespace {

/// LibTorch's own, which its CUDA half fills in once it is loaded: NVTX needs no library of ours.
const auto& nvtx() { return *torch::profiler::impl::cudaStubs(); }

}  // namespace

Range::Range(const char* name, double* spent)
    : recorded_(at::RecordScope::USER_SCOPE), nvtx_(nvtx().enabled()), spent_(spent) {
  if (recorded_.isActive()) recorded_.before(std::string_view(name));
  if (nvtx_) nvtx().rangePush(name);
  if (spent_ != nullptr) began_ = std::chrono::steady_clock::now();
}

Range::~Range() {
  if (spent_ != nullptr)
    *spent_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  if (nvtx_) nvtx().rangePop();
}

}  // namespace facemae
