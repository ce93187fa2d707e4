#include "core/error.h"

#include <cerrno>

namespace facemae {

bool FileError::may_pass() const noexcept {
  switch (code_) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EACCES:
    case EPERM:
    case EROFS:
      return false;
    default:
      return true;
  }
}

ExitCode exit_code_for(const std::exception& error) noexcept {
  if (dynamic_cast<const ConfigError*>(&error) != nullptr) return ExitCode::BadConfiguration;
  if (dynamic_cast<const DataError*>(&error) != nullptr) return ExitCode::BadData;
  if (dynamic_cast<const ReleaseRefused*>(&error) != nullptr) return ExitCode::ReleaseRefused;
  if (dynamic_cast<const PeerLost*>(&error) != nullptr) return ExitCode::PeerLost;
  if (dynamic_cast<const Unresumable*>(&error) != nullptr) return ExitCode::DoNotRequeue;
  const auto* of_file = dynamic_cast<const FileError*>(&error);
  if (of_file != nullptr && !of_file->may_pass()) return ExitCode::BadConfiguration;
  return ExitCode::Crash;
}

std::string kind_of(const std::exception& error) {
  if (dynamic_cast<const ConfigError*>(&error) != nullptr) return "ConfigError";
  if (dynamic_cast<const DataError*>(&error) != nullptr) return "DataError";
  if (dynamic_cast<const ReleaseRefused*>(&error) != nullptr) return "ReleaseRefused";
  if (dynamic_cast<const CheckpointError*>(&error) != nullptr) return "CheckpointError";
  if (dynamic_cast<const PeerLost*>(&error) != nullptr) return "PeerLost";
  if (dynamic_cast<const Unresumable*>(&error) != nullptr) return "Unresumable";
  if (dynamic_cast<const FileError*>(&error) != nullptr) return "FileError";
  return "crash";
}

}  // namespace facemae
