#include "core/host.h"

#include <gtest/gtest.h>
#include <sched.h>

namespace facemae {
namespace {

TEST(Host, CountsTheCoresThatThisProcessMayUse) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(available_cores(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_cores(), 1);
  sched_setaffinity(0, sizeof before, &before);
}

TEST(Host, HasANameAndAProcessor) {
  EXPECT_FALSE(host_name().empty());
  EXPECT_FALSE(cpu_model().empty());
}

}  // namespace
}  // namespace facemae
