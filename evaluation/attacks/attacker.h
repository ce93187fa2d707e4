#pragma once
// The one interface of all attackers: learn from people of one's own, then look at a release and at photos of people.
// What they find is counted elsewhere, alike for all.
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace facemae {

/// What everybody sees of a release.
struct ReleasedFaces {
  torch::Tensor pictures;             ///< [P, 3, H, W] uint8
  std::vector<std::int64_t> classes;  ///< [P] released label, 0 .. class_count - 1
  std::int64_t class_count = 0;
};

/// Photos of people whom an attacker knows by name.
struct RealFaces {
  torch::Tensor photos;              ///< [N, 3, H, W] uint8
  std::vector<std::int64_t> people;  ///< [N] 0 .. people_count - 1
  std::int64_t people_count = 0;
};

/// Who is where: many to many, since a blend is made of photos of several people.
struct FaceLinks {
  std::vector<std::vector<std::int64_t>> photos_of_picture;  ///< [P] rows of RealFaces
  std::vector<std::vector<std::int64_t>> people_of_class;    ///< [class_count]
};

/// People of the attacker's own, and a release of them that was made like the one under attack. Never the people
/// that are tested: every parameter is fitted on these alone.
struct Lesson {
  ReleasedFaces released;
  RealFaces real;
  FaceLinks links;
};

/// How alike released pictures and photos are to an attacker.
struct Evidence {
  torch::Tensor released, real;  ///< [P, D], [N, D] float32, rows L2-normalised: the product is the score
  /// [P, people] log-likelihood ratios that this person is in the picture, which add up over the pictures of a class;
  /// where it is defined, there are no features.
  torch::Tensor by_person;
};

struct AttackerFacts {
  std::string id, name;               ///< "A1", "closed-form channel, colour 14x14"
  std::string knows, controls, cost;  ///< one sentence each, for the report
};

class Attacker {
 public:
  virtual ~Attacker() = default;
  virtual AttackerFacts facts() const = 0;
  /// True when fit() must come before look().
  virtual bool learns() const { return false; }
  /// Who knows people again across photos, as embedders do, must find this share of the real people in other photos of
  /// them, or nothing that it misses means anything; from 1 on, so many times as chance would. 0: it compares pictures.
  virtual double least_of_other_photos() const { return 0; }
  /// Forgets what was learnt before.
  virtual void fit(const Lesson&) {}
  virtual Evidence look(const ReleasedFaces& released, const RealFaces& real) = 0;
  /// The same with other photos in place of released pictures, by what it learnt before and nothing new.
  virtual Evidence look_at_photos(const ReleasedFaces& photos, const RealFaces& real) {
    return look(photos, real);
  }
};

/// An embedder that was trained on people must find half of them. One that a release taught knows them as well as the
/// release is useful, so that it must only be better than chance: it is no broken one.
inline constexpr double kOtherPhotosOfEmbedders = 0.5, kOtherPhotosOfTheTaught = 3;

}  // namespace facemae
