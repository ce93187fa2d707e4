#include "trainer/speed/memory.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace facemae {
namespace {

TEST(Memory, IsTheHighestResidentSetOrElseThePresentOne) {
  EXPECT_EQ(peak_resident("VmPeak:\t 900 kB\nVmHWM:\t    42 kB\nVmRSS:\t    40 kB\n"), 42u * 1024);
  EXPECT_EQ(peak_resident("VmRSS:\t    40 kB\n"), 40u * 1024);
  EXPECT_EQ(peak_resident("Name:\tfacemae\n"), 0u);
}

TEST(Memory, HoldsWhatThisProcessHolds) {
  const auto held = torch::ones({16 << 20});  // 64 MiB
  EXPECT_GE(peak_memory(torch::kCPU), held.nbytes());
}

}  // namespace
}  // namespace facemae
