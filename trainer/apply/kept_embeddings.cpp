#include "trainer/apply/kept_embeddings.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "core/log.h"
#include "evaluation/formats/npy_header.h"
#include "evaluation/linkage/npy.h"

namespace facemae {
namespace {

Path note_beside(const Path& npy) { return npy.string() + ".json"; }

Bytes bytes_of_rows(const torch::Tensor& rows) {
  return {static_cast<const std::byte*>(rows.data_ptr()), rows.nbytes()};
}

nlohmann::ordered_json note_of(const ImageSet& images, const torch::Tensor& rows, bool flip_sum) {
  return {{"images", images.size},
          {"contents", images.contents.hex()},
          {"mirrored", flip_sum},
          {"values", xxh128(bytes_of_rows(rows)).hex()}};
}

/// What is wrong with a file's note, "" when nothing is.
std::string fault_of(const nlohmann::ordered_json& note, const nlohmann::ordered_json& wanted) {
  const auto same = [&](const char* key) { return note.contains(key) && note[key] == wanted[key]; };
  if (!same("values")) return "its values are not those that it was written with: compute it again";
  if (!same("images") || !same("contents"))
    return "it is of other images, or of other landmarks: name the file of this set, or compute it by --from";
  if (!same("mirrored"))
    return wanted["mirrored"] == true
               ? "it was written with --no-flip: give --no-flip, or compute it again by --from"
               : "it has mirror images added: leave out --no-flip, or compute it again by --from";
  return "";
}

}  // namespace

void keep_embeddings(const Path& npy, const ImageSet& images, const torch::Tensor& rows, bool flip_sum) {
  const torch::Tensor values = rows.contiguous();
  write_output(real_files(), npy, [&](OutputFile& file) {
    file.write(bytes_of(npy_header(false, {values.sizes().data(), values.sizes().size()})));
    file.write(bytes_of_rows(values));
  });
  write_output(real_files(), note_beside(npy), note_of(images, values, flip_sum).dump(1) + '\n');
}

Embeddings kept_embeddings(const Path& npy, const ImageSet& images, bool flip_sum) {
  Embeddings kept{.rows = read_rows(npy)};
  if (kept.rows.size(0) != static_cast<std::int64_t>(images.size))
    throw DataError(fmt::format("{} has {} embeddings, but there are {} images: name the file of this set",
                                npy.string(), kept.rows.size(0), images.size));
  const Path beside = note_beside(npy);
  if (!std::filesystem::exists(beside)) {
    spdlog::warn("{} is not there, so only the number of embeddings in {} was compared with the images",
                 beside.string(), npy.string());
    return kept;
  }
  const auto note =
      nlohmann::ordered_json::parse(read_plain_file(beside), nullptr, /*allow_exceptions=*/false);
  if (!note.is_object())
    throw DataError(beside.string() + " is no JSON object: compute the embeddings again by --from");
  const std::string fault = fault_of(note, note_of(images, kept.rows, flip_sum));
  if (!fault.empty())
    throw DataError(npy.string() + " does not fit, as " + beside.string() + " says: " + fault);
  return kept;
}

}  // namespace facemae
