#include "data/image/landmarks.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "data/image/landmark_columns.h"

namespace facemae {
namespace {

std::uint64_t hash_of(std::string_view name) { return xxh64(std::as_bytes(std::span(name))); }

std::optional<float> number_of(std::string_view text) {
  float value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

Landmarks::Landmarks(TextLines lines, std::string origin) : origin_(std::move(origin)), relative_(true) {
  const auto refuse = [&](const std::string& what) {
    throw DataError(
        fmt::format("{}: {}; expected an image's name and ten numbers (x and y of left eye, right eye, "
                    "nose, left and right mouth corner)",
                    lines.place(), what));
  };
  std::optional<LandmarkColumns> columns;  // of the header
  std::vector<std::string> fields;
  for (std::string_view line; lines.next(line);) {
    split_landmarks(lines, line, fields);
    if (fields.empty()) continue;
    const bool numeric = number_of(fields.back()).has_value();
    if (lines.number() == 1 && numeric && fields.size() == 1) continue;  // CelebA's number of images
    if (rows_.empty() && !columns && !numeric) {
      columns = landmark_columns_of_header(fields);
      if (!columns) refuse("its header has other columns");
      by_index_ = fields.front() == "idx";
      continue;
    }
    const auto at = columns ? columns : landmark_columns_without_header(fields.size());
    if (!at || fields.size() != at->count) refuse(fmt::format("it has {} fields", fields.size()));
    Row row{hash_of(fields[at->name]), {}};
    for (std::size_t i = 0; i < 10; ++i) {
      const std::string& field = fields[at->points[i]];
      const auto value = number_of(field);
      if (!value) refuse(fmt::format("\"{}\" is not a number", field.substr(0, 80)));
      row.numbers[i] = value.value_or(0);
      relative_ = relative_ && row.numbers[i] >= -1 && row.numbers[i] <= 2;
    }
    rows_.push_back(row);
  }
  if (rows_.empty()) throw DataError(origin_ + " lists no landmarks");
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.name < b.name; });
  check();
}

void Landmarks::check() const {
  const auto twin = std::adjacent_find(rows_.begin(), rows_.end(),
                                       [](const Row& a, const Row& b) { return a.name == b.name; });
  if (twin != rows_.end()) throw DataError(origin_ + " lists the landmarks of one image twice");
  const auto crossed = static_cast<std::size_t>(std::count_if(
      rows_.begin(), rows_.end(), [](const Row& row) { return row.numbers[0] > row.numbers[2]; }));
  if (2 * crossed > rows_.size())
    throw DataError(fmt::format(
        "{}: in {} of {} lines the left eye is right of the right one; left and right are meant as seen "
        "in the picture: exchange eyes and mouth corners (faces would be far too small)",
        origin_, crossed, rows_.size()));
}

std::optional<std::size_t> Landmarks::find(std::string_view name) const {
  const std::uint64_t hash = hash_of(name);
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), hash,
                                   [](const Row& row, std::uint64_t h) { return row.name < h; });
  if (at == rows_.end() || at->name != hash) return std::nullopt;
  return static_cast<std::size_t>(at - rows_.begin());
}

std::optional<std::size_t> Landmarks::find_image(std::string_view path) const {
  for (const std::string_view known : {path, path.substr(path.rfind('/') + 1)})
    for (const std::string_view as_listed :
         {known, known.substr(0, known.rfind('.'))})  // VGGFace2: no ending
      if (const auto row = find(as_listed)) return row;
  return std::nullopt;
}

FacePoints Landmarks::points(std::size_t row, int width, int height) const {
  const auto& numbers = rows_.at(row).numbers;
  FacePoints points;
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = {numbers[2 * i] * (relative_ ? width : 1.0), numbers[2 * i + 1] * (relative_ ? height : 1.0)};
  return points;
}

}  // namespace facemae
