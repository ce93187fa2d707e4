#include "core/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

namespace facemae {
namespace {

TEST(ExitCodes, FollowTheKindOfError) {
  EXPECT_EQ(exit_code_for(ConfigError("")), ExitCode::BadConfiguration);
  EXPECT_EQ(exit_code_for(DataError("")), ExitCode::BadData);
  EXPECT_EQ(exit_code_for(ReleaseRefused("")), ExitCode::ReleaseRefused);
  EXPECT_EQ(exit_code_for(PeerLost("")), ExitCode::PeerLost);
  EXPECT_EQ(exit_code_for(Unresumable("")), ExitCode::DoNotRequeue);
  EXPECT_EQ(exit_code_for(std::runtime_error("")), ExitCode::Crash);
  EXPECT_EQ(exit_code_for(FileError("", ENOENT)), ExitCode::BadConfiguration);  // the user named it
  EXPECT_EQ(exit_code_for(FileError("", EACCES)), ExitCode::BadConfiguration);
  const std::filesystem::filesystem_error gone("", std::make_error_code(std::errc::not_a_directory));
  EXPECT_EQ(exit_code_for(gone), ExitCode::BadConfiguration);
  EXPECT_EQ(kind_of(gone), "FileError");
  EXPECT_EQ(exit_code_for(FileError("", EIO)), ExitCode::Crash);
  EXPECT_EQ(exit_code_for(FileError("", ENOSPC)), ExitCode::Crash);
  EXPECT_EQ(kind_of(PeerLost("")), "PeerLost");
  EXPECT_EQ(kind_of(std::runtime_error("")), "crash");
}

TEST(Error, KnowsWhereItWasRaised) {
  EXPECT_NE(std::string(Error("x").where().file_name()).find("error_test"), std::string::npos);
}

}  // namespace
}  // namespace facemae
