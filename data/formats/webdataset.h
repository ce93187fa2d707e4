#pragma once
// Tar archives as WebDataset reads them: members of one sample follow each other and share the
// name up to the ending.
#include <functional>
#include <memory>
#include <string>

#include "core/checksum.h"

namespace facemae {

/// Writes a tar in GNU's format (names are any bytes of any length) through `write`. Equal members give equal
/// bytes: no times, no owners.
class TarWriter {
 public:
  explicit TarWriter(std::function<void(Bytes)> write);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;
  /// What `write` throws comes out here.
  void add(const std::string& path, Bytes content);
  /// The zeros that end a tar.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace facemae
