#pragma once
// Embeddings by row, of any number: in memory, or in a .npy that stays where it is.
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <span>

#include "core/files/files.h"

namespace facemae {

/// Const calls are safe from many threads.
class EmbeddingRows {
 public:
  virtual ~EmbeddingRows() = default;
  virtual std::int64_t rows() const = 0;
  virtual std::int64_t width() const = 0;
  /// Rows [first, first + count): [count, width] float32 of norm 1 (zeros stay zeros). Throws DataError for a value that
  /// is not finite.
  virtual torch::Tensor block(std::int64_t first, std::int64_t count) const = 0;
  /// The same of any rows.
  virtual torch::Tensor pick(std::span<const std::int64_t> rows) const = 0;
};

/// A .npy of float16, float32 or float64 [rows, width] (C order), mapped: its pages belong to the page cache, and are taken out
/// of this process's memory once they were read. Throws DataError, FileError.
std::unique_ptr<EmbeddingRows> embeddings_in(const Path& npy);
/// [rows, width] float32, which is normalised here.
std::unique_ptr<EmbeddingRows> embeddings_of(const torch::Tensor& rows);

}  // namespace facemae
