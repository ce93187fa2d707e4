#include "core/error.h"

#include <cerrno>
#include <filesystem>

namespace facemae {

namespace {

bool code_may_pass(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENXIO:  // a socket, or a pipe or device where a plain file is expected
      return false;
    default:
      return true;
  }
}

}  // namespace

std::string Error::place() const {
  return std::string(at_.file_name()) + ":" + std::to_string(at_.line()) + ", in " + at_.function_name();
}

bool FileError::may_pass() const noexcept { return code_may_pass(code_); }

ExitCode exit_code_for(const std::exception& error) noexcept {
  if (dynamic_cast<const ConfigError*>(&error) != nullptr) return ExitCode::BadConfiguration;
  if (dynamic_cast<const DataError*>(&error) != nullptr) return ExitCode::BadData;
  if (dynamic_cast<const ReleaseRefused*>(&error) != nullptr) return ExitCode::ReleaseRefused;
  if (dynamic_cast<const UnreadableCheckpoint*>(&error) != nullptr) return ExitCode::Crash;
  if (dynamic_cast<const CheckpointError*>(&error) != nullptr) return ExitCode::BadData;
  if (dynamic_cast<const PeerLost*>(&error) != nullptr) return ExitCode::PeerLost;
  if (dynamic_cast<const Unresumable*>(&error) != nullptr) return ExitCode::DoNotRequeue;
  const auto* of_file = dynamic_cast<const FileError*>(&error);
  if (of_file != nullptr && !of_file->may_pass()) return ExitCode::BadConfiguration;
  const auto* of_path = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
  if (of_path != nullptr && !code_may_pass(of_path->code().value())) return ExitCode::BadConfiguration;
  return ExitCode::Crash;
}

std::string kind_of(const std::exception& error) {
  if (dynamic_cast<const ConfigError*>(&error) != nullptr) return "ConfigError";
  if (dynamic_cast<const DataError*>(&error) != nullptr) return "DataError";
  if (dynamic_cast<const ReleaseRefused*>(&error) != nullptr) return "ReleaseRefused";
  if (dynamic_cast<const CheckpointError*>(&error) != nullptr) return "CheckpointError";
  if (dynamic_cast<const PeerLost*>(&error) != nullptr) return "PeerLost";
  if (dynamic_cast<const Unresumable*>(&error) != nullptr) return "Unresumable";
  if (dynamic_cast<const FileError*>(&error) != nullptr ||
      dynamic_cast<const std::filesystem::filesystem_error*>(&error) != nullptr)
    return "FileError";
  return "crash";
}

std::string place_of(const std::exception& error) {
  const auto* ours = dynamic_cast<const Error*>(&error);
  return ours == nullptr ? "" : ours->place();
}

}  // namespace facemae
