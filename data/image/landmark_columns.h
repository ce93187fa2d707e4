#pragma once
// Finds name and points among the columns of published lists of landmarks.
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files/text_lines.h"

namespace facemae {

struct LandmarkColumns {
  std::size_t name = 0;
  std::array<std::size_t, 10>
      points{};           ///< x and y of left eye, right eye, nose, left and right mouth corner
  std::size_t count = 0;  ///< fields of a row
};

/// By the names of a header, in any order: CelebA's (lefteye_x ...; the column of the image may have no name),
/// CVLface's (ldmk_0 ..., ten or fifteen with scores), VGGFace2's (P1X ...), and left_eye_x, mouth_left_x, ...
/// as detectors write them. nullopt when a point is missing.
std::optional<LandmarkColumns> landmark_columns_of_header(const std::vector<std::string>& header);
/// Name, then ten numbers (and a score), or fifteen of which each third is a score.
std::optional<LandmarkColumns> landmark_columns_without_header(std::size_t fields);

/// Splits a row of `lines` by its tabs, semicolons or commas, or by blanks when these lie between numbers;
/// without empty fields at the end.
void split_landmarks(TextLines& lines, std::string_view row, std::vector<std::string>& fields);

}  // namespace facemae
