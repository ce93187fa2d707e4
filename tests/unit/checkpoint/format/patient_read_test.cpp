#include "checkpoint/format/patient_read.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "core/log.h"

namespace facemae {
namespace {

constexpr auto kSoon = std::chrono::milliseconds(1);

struct PatientRead : testing::Test {
  PatientRead() { spdlog::set_level(spdlog::level::off); }
  int asked = 0;
  /// A read that fails with `code` the first `times` times.
  std::function<void()> failing(int times, int code) {
    return [=, this] {
      if (asked++ < times) throw FileError("no answer", code);
    };
  }
};

TEST_F(PatientRead, AsksAgainWhatFailsForAMoment) {
  EXPECT_NO_THROW(patiently(failing(3, EIO), kSoon));
  EXPECT_EQ(asked, 4);
}

TEST_F(PatientRead, GivesUpInTheEndAndSaysThatTheStorageIsToBlame) {
  EXPECT_THROW(patiently(failing(100, ESTALE), kSoon), UnreadableCheckpoint);
  EXPECT_EQ(asked, 4);
}

TEST_F(PatientRead, DoesNotWaitForWhatIsMissing) {
  try {
    patiently(failing(100, ENOENT), kSoon);
    FAIL() << "found";
  } catch (const UnreadableCheckpoint&) {
    FAIL() << "a missing file is damage";
  } catch (const CheckpointError&) {
  }
  EXPECT_EQ(asked, 1);
}

TEST_F(PatientRead, LeavesOtherFailuresAlone) {
  EXPECT_THROW(patiently([] { throw CheckpointError("damaged"); }, kSoon), CheckpointError);
}

}  // namespace
}  // namespace facemae
