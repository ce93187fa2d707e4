#pragma once
// Reads tensors of one checkpoint, past the page cache, and checks every leaf's hash while they stream.
// Free of LibTorch.
#include <map>
#include <span>

#include "checkpoint/format/manifest.h"
#include "core/files/files.h"

namespace facemae {

class CheckpointReader {
 public:
  /// The manifest must outlive the reader.
  CheckpointReader(Path folder, const Manifest& manifest) : folder_(std::move(folder)), manifest_(manifest) {}
  /// Throws CheckpointError when the header of that file is not what was written.
  void check_header(std::uint32_t file);
  /// Reads `range`, whole leaves, of a tensor of the manifest. Throws CheckpointError naming tensor,
  /// file and offset.
  void read(const ManifestTensor& tensor, ByteRange range, std::span<std::byte> out);

 private:
  /// Reads past the page cache, with retries.
  void fetch(std::uint32_t file, std::uint64_t offset, std::span<std::byte> out);

  Path folder_;
  const Manifest& manifest_;
  std::map<std::uint32_t, InputFile> open_;
};

}  // namespace facemae
