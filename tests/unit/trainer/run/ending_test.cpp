#include "trainer/run/ending.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include "cluster/host/agree.h"

namespace facemae {
namespace {

TEST(Ending, SaysWhatAFailureMeansForTheRun) {
  struct Case {
    std::string what;
    Ending ending;
    ExitCode code;
    std::string kind;
    bool root_writes, others_write, lost_peer, of_storage;
  };
  const std::vector<Case> cases = {
      {"agreed", ending_of(AgreedError("x", ExitCode::DoNotRequeue, "Diverged")), ExitCode::DoNotRequeue,
       "Diverged", true, false, false, false},
      {"lost peer", ending_of(PeerLost("x")), ExitCode::PeerLost, "PeerLost", false, false, true, false},
      {"agreed on a lost host", ending_of(AgreedError("x", ExitCode::PeerLost, "DeviceLost")),
       ExitCode::PeerLost, "DeviceLost", true, false, false, false},
      {"bad data on one rank", ending_of(DataError("x")), ExitCode::BadData, "DataError", true, true, false,
       false},
      {"a file is gone", ending_of(FileError("x", ENOENT)), ExitCode::Crash, "FileError", true, true, false,
       true},
      {"a file is gone, all know", ending_of(AgreedError("x", ExitCode::BadConfiguration, "FileError")),
       ExitCode::Crash, "FileError", true, false, false, true},
      {"a mistake", ending_of(ConfigError("x")), ExitCode::BadConfiguration, "ConfigError", true, true, false,
       false},
  };
  for (const auto& [what, ending, code, kind, root_writes, others_write, lost_peer, of_storage] : cases) {
    SCOPED_TRACE(what);
    EXPECT_EQ(ending.code, code);
    EXPECT_EQ(ending.kind, kind);
    EXPECT_EQ(ending.reason, "x");
    EXPECT_EQ(ending.writes_outcome(true), root_writes);
    EXPECT_EQ(ending.writes_outcome(false), others_write);
    EXPECT_EQ(ending.lost_peer, lost_peer);
    EXPECT_EQ(ending.of_storage, of_storage);
  }
}

TEST(Ending, LeavesTheStackTraceOfLibTorchOut) {
  try {
    TORCH_CHECK(false, "shapes differ");
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_EQ(ending_of(error).reason, "shapes differ");
  }
}

}  // namespace
}  // namespace facemae
