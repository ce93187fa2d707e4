#pragma once
// Writes tar archives as WebDataset reads them: the members of a sample follow one another and share their
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
  /// Whatever `write` throws comes out of this.
  void add(const std::string& path, Bytes content);
  /// Writes the zeros that end a tar.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace facemae
