#include "core/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <new>
#include <vector>

namespace facemae {
namespace {

struct Kind {
  std::shared_ptr<std::exception> error;
  ExitCode code;
  const char* kind;
};

template <class Error>
Kind kind(Error error, ExitCode code, const char* name) {
  return {std::make_shared<Error>(std::move(error)), code, name};
}
std::filesystem::filesystem_error of_path(std::errc code) { return {"", std::make_error_code(code)}; }

/// The table of docs/ARCHITECTURE.md: what a scheduler is told of everything that can be thrown.
TEST(ExitCodes, FollowTheKindOfError) {
  const std::vector<Kind> kinds = {
      kind(ConfigError(""), ExitCode::BadConfiguration, "ConfigError"),
      kind(DataError(""), ExitCode::BadData, "DataError"),
      kind(ReleaseRefused(""), ExitCode::ReleaseRefused, "ReleaseRefused"),
      kind(CheckpointError(""), ExitCode::BadData, "CheckpointError"),
      kind(UnreadableCheckpoint(""), ExitCode::Crash, "CheckpointError"),  // another try may do
      kind(PeerLost(""), ExitCode::PeerLost, "PeerLost"),
      kind(Unresumable(""), ExitCode::DoNotRequeue, "Unresumable"),
      kind(FileError("", ENOENT), ExitCode::BadConfiguration, "FileError"),  // the user named it
      kind(FileError("", EACCES), ExitCode::BadConfiguration, "FileError"),
      kind(FileError("", EISDIR), ExitCode::BadConfiguration, "FileError"),
      kind(FileError("", ENXIO), ExitCode::BadConfiguration, "FileError"),  // a pipe for a plain file
      kind(FileError("", EIO), ExitCode::Crash, "FileError"),
      kind(FileError("", ESTALE), ExitCode::Crash, "FileError"),
      kind(FileError("", ENOSPC), ExitCode::Crash, "FileError"),
      kind(FileError("", EMFILE), ExitCode::Crash, "FileError"),
      kind(of_path(std::errc::not_a_directory), ExitCode::BadConfiguration, "FileError"),
      kind(of_path(std::errc::io_error), ExitCode::Crash, "FileError"),
      kind(Error(""), ExitCode::Crash, "crash"),
      kind(std::runtime_error(""), ExitCode::Crash, "crash"),
      kind(std::bad_alloc(), ExitCode::Crash, "crash")};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    EXPECT_EQ(exit_code_for(*kinds[i].error), kinds[i].code) << "row " << i << ", " << kinds[i].kind;
    EXPECT_EQ(kind_of(*kinds[i].error), kinds[i].kind) << "row " << i;
  }
  // A difference that `checkpoint diff` finds is no crash, which would be tried again.
  EXPECT_NE(ExitCode::Different, ExitCode::Crash);
}

TEST(Error, KnowsWhereItWasRaised) {
  const unsigned line = __LINE__ + 1;
  const Error error("x");
  EXPECT_EQ(error.where().line(), line);
  EXPECT_NE(error.place().find("error_test.cpp:" + std::to_string(line) + ", in "), std::string::npos);
  EXPECT_EQ(place_of(error), error.place());
  EXPECT_EQ(place_of(std::runtime_error("")), "");
}

}  // namespace
}  // namespace facemae
