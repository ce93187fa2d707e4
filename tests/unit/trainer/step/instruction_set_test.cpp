#include "trainer/step/instruction_set.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace facemae {
namespace {

TEST(InstructionSet, IsToldToAllLibrariesWhateverTheEnvironmentSaid) {
  setenv("ATEN_CPU_CAPABILITY", "avx512", 1);
  setenv("MKL_CBWR", "AUTO", 1);
  const std::string fixed = fix_instruction_set();
  for (const std::string name : {"ATEN_CPU_CAPABILITY", "MKL_CBWR", "ONEDNN_MAX_CPU_ISA"}) {
    ASSERT_NE(std::getenv(name.c_str()), nullptr) << name;
    EXPECT_THAT(fixed, testing::HasSubstr(name + "=" + std::getenv(name.c_str())));
  }
  EXPECT_STRNE(std::getenv("ATEN_CPU_CAPABILITY"), "avx512");
  EXPECT_STRNE(std::getenv("MKL_CBWR"), "AUTO");
  EXPECT_EQ(fix_instruction_set(), fixed);
}

}  // namespace
}  // namespace facemae
