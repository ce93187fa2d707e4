#include "trainer/step/range.h"

#include <torch/csrc/profiler/stubs/base.h>

namespace facemae {
namespace {

/// LibTorch's own, which its CUDA half fills in once it is loaded: NVTX needs no library of ours.
const auto& nvtx() { return *torch::profiler::impl::cudaStubs(); }

}  // namespace

Range::Range(const char* name) : recorded_(at::RecordScope::USER_SCOPE), nvtx_(nvtx().enabled()) {
  if (recorded_.isActive()) recorded_.before(name);
  if (nvtx_) nvtx().rangePush(name);
}

Range::~Range() {
  if (nvtx_) nvtx().rangePop();
}

}  // namespace facemae
