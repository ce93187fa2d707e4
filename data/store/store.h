#pragma once
// Opens stores: HDF5 shards of encoded faces and a manifest (docs/FORMATS.md), with images checked by CRC.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checksum.h"
#include "core/files/files.h"
#include "data/hdf5/seal.h"
#include "data/store/shard_reader.h"

namespace facemae {

struct ShardInfo {
  std::string file;  ///< relative to the store, or to the parent store of a view
  std::uint64_t images = 0, first_global = 0;
  std::uint64_t bytes = 0, blob_offset = 0;  ///< of the blob: its length, and where it begins in the file
  Hash128 blob_digest = {}, index_digest = {};
};

/// Encoded images of consecutive rows, not yet checked.
struct RowBlock {
  std::uint64_t first = 0;             ///< row
  std::vector<std::uint64_t> offsets;  ///< rows + 1, into bytes
  std::vector<std::byte> bytes;
  Bytes image(std::uint64_t row) const {
    const auto i = static_cast<std::size_t>(row - first);
    return Bytes(bytes).subspan(offsets[i], offsets[i + 1] - offsets[i]);
  }
};

/// Random access to encoded faces. Const calls are safe from many threads. A view (made by `store split`) is
/// a store, too: its rows are a selection of another store's, with labels of its own. The index of the rows
/// stays in the page cache, shared by all processes of a host: no process's memory grows with the rows.
class Store {
 public:
  /// Throws DataError: no such store, unfinished (no manifest), a shard missing or of the wrong size, a wrong
  /// index digest. Blob digests are checked only by verify(). Images are read through `files`, which must
  /// outlive the store. All bytes but the images are hashed, on several threads; what takes long shows its
  /// progress on the first rank. That is left out (`Unhashed`) when another process of this host has just done
  /// it: every value is checked when it is used, so nothing worse than a wrong image can come of a change.
  static std::shared_ptr<const Store> open(const Path& folder, InputFiles& files = real_inputs(),
                                           const ReadPolicy& policy = {},
                                           SealCheck check = SealCheck::Hashed);
  virtual ~Store() = default;

  virtual const Path& folder() const noexcept = 0;
  virtual std::uint64_t size() const noexcept = 0;       ///< images
  virtual std::int64_t identities() const noexcept = 0;  ///< labels are 0..identities()-1, or -1
  /// "" in a released store. Throws DataError when identities.h5, read at the first call, is damaged.
  virtual std::string identity_name(std::int64_t label) const = 0;
  virtual std::int64_t label(std::uint64_t row) const = 0;
  virtual int image_size() const noexcept = 0;  ///< square side in pixels
  /// Reads the encoded image. After all that ShardReader tries, throws DataError naming shard, index and file
  /// on a CRC mismatch, ShardUnreadable on I/O errors. Adds to `figures` what it cost and met.
  virtual void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures& figures) const = 0;
  void read(std::uint64_t row, std::vector<std::byte>& encoded) const {
    ReadFigures uncounted;
    fetch(row, encoded, uncounted);
  }
  /// Reads rows [first, first + count) with few large reads: of a view, the stretches of the store in which
  /// they lie, at most four times their bytes; only their own bytes are kept. False when they do not lie
  /// together in ascending order: use fetch() then. Throws ShardUnreadable.
  bool read_block(std::uint64_t first, std::uint64_t count, RowBlock& block, ReadFigures& figures) const;
  /// The same of any rows, which need not be consecutive; `block.first` is the caller's.
  virtual bool read_rows(std::vector<std::uint64_t> rows, RowBlock& block, ReadFigures& figures) const;
  /// Are these bytes the image of the row?
  virtual bool intact(std::uint64_t row, Bytes encoded) const;
  /// Which of shards() a row lies in.
  virtual std::size_t shard_of(std::uint64_t row) const;
  virtual Path shard_folder() const;  ///< what the files of shards() are relative to
  /// From now on reads a shard from another copy of its file, also while other threads read; the earlier ones
  /// stay for when it fails. Throws FileError.
  virtual void add_replica(std::size_t shard, const Path& file) const;
  virtual const std::vector<ShardInfo>& shards() const noexcept = 0;
  virtual Hash128 dataset_digest()
      const noexcept = 0;  ///< hash of the shard digests and, in a view, the selection
  virtual std::string source_licence() const = 0;
  /// No person is in it: its source's licence says that the faces are synthetic.
  bool synthetic() const { return source_licence().find("synthetic") != std::string::npos; }
  virtual bool released() const noexcept = 0;  ///< made by `reconstruct`
  /// The rows of one identity, ascending. Throws DataError like identity_name().
  virtual std::span<const std::uint64_t> rows_of(std::int64_t label) const = 0;
};

}  // namespace facemae
