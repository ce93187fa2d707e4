#include "data/image/landmarks.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

std::uint64_t hash_of(std::string_view name) { return xxh64(std::as_bytes(std::span(name))); }

std::vector<std::string_view> fields_of(std::string_view line) {
  constexpr std::string_view separators = ", \t\r";
  std::vector<std::string_view> fields;
  for (;;) {
    line.remove_prefix(std::min(line.size(), line.find_first_not_of(separators)));
    if (line.empty()) return fields;
    fields.push_back(line.substr(0, line.find_first_of(separators)));
    line.remove_prefix(fields.back().size());
  }
}

std::optional<float> number_of(std::string_view text) {
  float value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// CelebA names its columns lefteye_x ..., CVLface names them ldmk_0 ...
bool is_known_header(std::vector<std::string_view> fields) {
  static const std::vector<std::string_view> celeba = {
      "lefteye_x", "lefteye_y",   "righteye_x",  "righteye_y",   "nose_x",
      "nose_y",    "leftmouth_x", "leftmouth_y", "rightmouth_x", "rightmouth_y"};
  if (fields.size() == 11 || fields.size() == 16) fields.erase(fields.begin());
  if (fields == celeba) return true;
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i] != "ldmk_" + std::to_string(i)) return false;
  return fields.size() == 10 || fields.size() == 15;
}

}  // namespace

Landmarks Landmarks::parse(std::string_view text, std::string origin) {
  Landmarks landmarks;
  landmarks.origin_ = std::move(origin);
  landmarks.relative_ = true;
  std::uint64_t number = 0;
  const auto refuse = [&](const std::string& what) {
    throw DataError(fmt::format(
        "{}, line {}: {}; "
        "expected an image's name and ten numbers (x and y of left eye, right eye, nose, left and right mouth corner)",
        landmarks.origin_, number, what));
  };
  while (!text.empty()) {
    ++number;
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto fields = fields_of(line);
    if (fields.empty()) continue;
    const bool numeric = number_of(fields.back()).has_value();
    if (number == 1 && numeric && fields.size() == 1) continue;  // CelebA's number of images
    if (landmarks.rows_.empty() && !numeric) {
      if (!is_known_header(fields)) refuse("its header has other columns");
      landmarks.by_index_ = fields.front() == "idx";
      continue;
    }
    if (fields.size() != 11 && fields.size() != 16) refuse(fmt::format("it has {} fields", fields.size()));
    const std::size_t each = fields.size() == 11 ? 2 : 3;
    Row row{hash_of(fields.front()), {}};
    for (std::size_t i = 0; i < 10; ++i) {
      const auto value = number_of(fields[1 + i / 2 * each + i % 2]);
      if (!value) refuse(fmt::format("\"{}\" is not a number", fields[1 + i / 2 * each + i % 2]));
      row.numbers[i] = value.value_or(0);
      landmarks.relative_ = landmarks.relative_ && row.numbers[i] >= -1 && row.numbers[i] <= 2;
    }
    landmarks.rows_.push_back(row);
  }
  auto& rows = landmarks.rows_;
  if (rows.empty()) throw DataError(landmarks.origin_ + " lists no landmarks");
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.name < b.name; });
  const auto twin = std::adjacent_find(rows.begin(), rows.end(),
                                       [](const Row& a, const Row& b) { return a.name == b.name; });
  if (twin != rows.end()) throw DataError(landmarks.origin_ + " lists the landmarks of one image twice");
  return landmarks;
}

std::optional<std::size_t> Landmarks::find(std::string_view name) const {
  const std::uint64_t hash = hash_of(name);
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), hash,
                                   [](const Row& row, std::uint64_t h) { return row.name < h; });
  if (at == rows_.end() || at->name != hash) return std::nullopt;
  return static_cast<std::size_t>(at - rows_.begin());
}

FacePoints Landmarks::points(std::size_t row, int width, int height) const {
  const auto& numbers = rows_.at(row).numbers;
  FacePoints points;
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = {numbers[2 * i] * (relative_ ? width : 1.0), numbers[2 * i + 1] * (relative_ ? height : 1.0)};
  return points;
}

}  // namespace facemae
