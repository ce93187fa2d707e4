#pragma once
// A store: HDF5 shards of encoded faces and a manifest (docs/FORMATS.md), read by pread, checked by CRC.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "core/files.h"

namespace facemae {

struct ShardInfo {
  std::string file;  ///< relative to the store, or to the parent store of a view
  std::uint64_t images = 0, first_global = 0;
  std::uint64_t bytes = 0, blob_offset = 0;  ///< of the blob: its length, and where it begins in the file
  Hash128 blob_digest = {}, index_digest = {};
};

/// Random access to encoded faces. Const calls are safe from many threads. A view (made by `store split`) is
/// a store too: its rows are a selection of another store's, with labels of its own.
class Store {
 public:
  /// Throws DataError: no such store, unfinished (no manifest), a shard missing or of the wrong size, an
  /// index digest that differs. Blob digests are checked by verify() only.
  static std::shared_ptr<const Store> open(const Path& folder);
  virtual ~Store() = default;

  virtual const Path& folder() const noexcept = 0;
  virtual std::uint64_t size() const noexcept = 0;                  ///< images
  virtual std::int64_t identities() const noexcept = 0;             ///< labels are 0..identities()-1, or -1
  virtual std::string identity_name(std::int64_t label) const = 0;  ///< "" in a released store
  virtual std::int64_t label(std::uint64_t row) const = 0;
  virtual int image_size() const noexcept = 0;  ///< square side in pixels
  /// The encoded image; throws DataError naming shard, index and file on a CRC mismatch, FileError on I/O
  /// errors.
  virtual void read(std::uint64_t row, std::vector<std::byte>& encoded) const = 0;
  virtual const std::vector<ShardInfo>& shards() const noexcept = 0;
  virtual Hash128 dataset_digest()
      const noexcept = 0;  ///< hash of the shard digests and, in a view, the selection
  virtual std::string source_licence() const = 0;
  virtual bool released() const noexcept = 0;  ///< made by `reconstruct`
  /// Rows of one identity, ascending.
  virtual std::span<const std::uint64_t> rows_of(std::int64_t label) const = 0;
};

}  // namespace facemae
