#pragma once
// Parses lists of five points per face in the formats in which they are published (CelebA, CVLface).
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/text_lines.h"
#include "data/image/align.h"

namespace facemae {

/// Lines of an image's name and ten numbers: x and y of left eye, right eye, nose, left and right mouth
/// corner as seen in the picture, separated by commas, semicolons (with quotes), tabs or blanks; an eleventh
/// is the face's score, fifteen numbers are x, y and a score each. A header that names these columns may put
/// them in any order and among others. About 50 bytes per image in memory.
class Landmarks {
 public:
  /// `origin` is named in errors. Throws DataError, naming the line, for anything else, for a header with
  /// other columns, for an image named twice, and when left and right are mostly exchanged.
  static Landmarks parse(std::string_view text, const std::string& origin) {
    return Landmarks(TextLines(text, origin), origin);
  }
  static Landmarks read(const Path& file) { return Landmarks(TextLines(file), file.string()); }

  std::size_t size() const { return rows_.size(); }
  const std::string& origin() const { return origin_; }
  /// The first column is "idx": images are numbered from 0 in the order of a .rec file's keys (CVLface).
  bool by_index() const { return by_index_; }
  /// All numbers lie between -1 and 2: they are fractions of the image's width and height, not pixels.
  bool relative() const { return relative_; }
  /// The row of a name as the list writes it (of its number, when by_index).
  std::optional<std::size_t> find(std::string_view name) const;
  /// The row of an image with this path: listed as the path or as its file's name, each also without its ending.
  std::optional<std::size_t> find_image(std::string_view path) const;
  /// In pixels of an image of this size.
  FacePoints points(std::size_t row, int width, int height) const;

 private:
  struct Row {
    std::uint64_t name;  ///< XXH64
    std::array<float, 10> numbers;
  };
  Landmarks(TextLines lines, std::string origin);
  void check() const;

  std::string origin_;
  std::vector<Row> rows_;  ///< sorted by name
  bool by_index_ = false, relative_ = false;
};

}  // namespace facemae
