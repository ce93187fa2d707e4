#include "evaluation/embeddings/embedding_rows.h"

#include <torch/torch.h>

#include <cstring>

#include "core/error.h"
#include "core/files/array.h"
#include "core/log.h"
#include "evaluation/formats/npy_header.h"

namespace facemae {
namespace {

torch::Tensor normalised(torch::Tensor rows) { return rows.div_(rows.norm(2, 1, true).clamp_min_(1e-6)); }

class MappedEmbeddings final : public EmbeddingRows {
 public:
  explicit MappedEmbeddings(const Path& path) : path_(path) {
    bytes_ = std::filesystem::file_size(path);
    if (bytes_ == 0) throw DataError("reading embeddings " + path.string() + ": the file is empty");
    mapping_ = map_file(path, 0, bytes_);
    const NpyHeader header = parse_npy_header(
        {reinterpret_cast<const char*>(mapping_.get()), static_cast<std::size_t>(bytes_)}, path);
    if (header.type == NpyType::Int64 || header.shape.size() != 2 || header.shape[1] < 1)
      throw DataError(
          "reading embeddings " + path.string() +
          ": an array of float32 (or float16, float64) with a row for each image is expected, as `facemae embed` "
          "writes it");
    rows_ = header.shape[0], width_ = header.shape[1];
    type_ = header.type == NpyType::Float16   ? torch::kFloat16
            : header.type == NpyType::Float32 ? torch::kFloat32
                                              : torch::kFloat64;
    row_bytes_ = width_ * static_cast<std::int64_t>(bytes_of_value(header.type));
    values_ = mapping_.get() + header.data_start;
  }
  std::int64_t rows() const override { return rows_; }
  std::int64_t width() const override { return width_; }
  torch::Tensor block(std::int64_t first, std::int64_t count) const override {
    auto rows = torch::empty({count, width_}, type_);
    const Bytes part{values_ + first * row_bytes_, static_cast<std::size_t>(count * row_bytes_)};
    if (count > 0) std::memcpy(rows.data_ptr(), part.data(), part.size());
    drop_pages_of_mapping(part);
    rows = rows.to(torch::kFloat32);
    check(rows, [&](std::int64_t i) { return first + i; });
    return normalised(std::move(rows));
  }
  torch::Tensor pick(std::span<const std::int64_t> which) const override {
    auto rows = torch::empty({static_cast<std::int64_t>(which.size()), width_}, type_);
    auto* out = static_cast<std::byte*>(rows.data_ptr());
    for (const std::int64_t row : which) {
      std::memcpy(out, values_ + row * row_bytes_, static_cast<std::size_t>(row_bytes_));
      out += row_bytes_;
    }
    rows = rows.to(torch::kFloat32);
    check(rows, [&](std::int64_t i) { return which[static_cast<std::size_t>(i)]; });
    return normalised(std::move(rows));
  }

 private:
  template <class Number>
  void check(const torch::Tensor& rows, Number number) const {
    if (rows.sum().isfinite().item<bool>()) return;  // a cheap look: no sum of finite embeddings overflows
    const auto finite = rows.isfinite().all(1);
    for (std::int64_t i = 0; i < rows.size(0); ++i)
      if (!finite[i].item<bool>())
        throw DataError(fmt::format("reading embeddings {}: row {} has a value that is not finite",
                                    path_.string(), number(i)));
  }

  Path path_;
  std::uint64_t bytes_ = 0;
  std::shared_ptr<const std::byte> mapping_;
  const std::byte* values_ = nullptr;
  std::int64_t rows_ = 0, width_ = 0, row_bytes_ = 0;
  torch::ScalarType type_ = torch::kFloat32;
};

class HeldEmbeddings final : public EmbeddingRows {
 public:
  explicit HeldEmbeddings(const torch::Tensor& rows)
      : rows_(normalised(rows.to(torch::kFloat32, false, true).contiguous())) {}
  std::int64_t rows() const override { return rows_.size(0); }
  std::int64_t width() const override { return rows_.size(1); }
  torch::Tensor block(std::int64_t first, std::int64_t count) const override {
    return rows_.narrow(0, first, count);
  }
  torch::Tensor pick(std::span<const std::int64_t> which) const override {
    return rows_.index_select(0, torch::tensor(std::vector<std::int64_t>(which.begin(), which.end())));
  }

 private:
  torch::Tensor rows_;
};

}  // namespace

std::unique_ptr<EmbeddingRows> embeddings_in(const Path& npy) {
  return std::make_unique<MappedEmbeddings>(npy);
}

std::unique_ptr<EmbeddingRows> embeddings_of(const torch::Tensor& rows) {
  return std::make_unique<HeldEmbeddings>(rows);
}

}  // namespace facemae
