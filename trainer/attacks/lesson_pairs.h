#pragma once
// Which photo goes with a released picture of a lesson, and which others would be right as well.
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "evaluation/attacks/attacker.h"

namespace facemae {

/// What counts as right for a released picture.
enum class Right {
  Photo,   ///< a photo that it was made of
  Person,  ///< any photo of a person of its class
};

class LessonPairs {
 public:
  /// Throws DataError when a released picture has nothing that is right, naming the first. `lesson` must outlive this.
  LessonPairs(const Lesson& lesson, Right right);

  /// The row of a photo that is right for the picture, drawn by the key: a name, then one of its photos.
  std::int64_t photo_of(std::int64_t picture, std::uint64_t key) const;
  /// The row of a photo of somebody who is not in the picture's class. Throws DataError when there is nobody else.
  std::int64_t other_photo(std::int64_t picture, std::uint64_t key) const;

  torch::Tensor right() const;  ///< [P, K] int64: names of what is right, padded with -1
  torch::Tensor names() const;  ///< [N] int64: what a photo is called there: its row, or its person

 private:
  const Lesson& lesson_;
  Right right_;
  std::vector<std::vector<std::int64_t>> photos_of_person_;
  std::vector<std::vector<std::int64_t>> names_of_picture_;
};

/// XXH3-128 of all that a lesson holds, as 32 digits: what a trained attacker is known by.
std::string digest_of(const Lesson& lesson);
std::string digest_of(const ReleasedFaces& released);

}  // namespace facemae
