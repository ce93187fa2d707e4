#include "cluster/host/call_limit.h"

#include <gtest/gtest.h>

#include <future>

namespace facemae {
namespace {

TEST(CallLimit, CallsWhenTheTimeIsUp) {
  std::promise<void> late;
  const CallLimit limit(std::chrono::milliseconds(5), [&] { late.set_value(); });
  EXPECT_EQ(late.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

TEST(CallLimit, StaysQuietForWhatEndsInTime) {
  for (int i = 0; i < 2000; ++i) {
    const CallLimit limit(std::chrono::hours(1), [] { ADD_FAILURE() << "late"; });
  }
}

}  // namespace
}  // namespace facemae
