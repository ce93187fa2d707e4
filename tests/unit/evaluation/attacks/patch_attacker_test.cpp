#include "evaluation/attacks/patch_attacker.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"
#include "evaluation/attacks/fixed_attackers.h"
#include "evaluation/campaign/campaign.h"
#include "tests/unit/evaluation/campaign/planted_release.h"

namespace facemae {
namespace {

using test::row_of;

/// Every patch of a picture comes from another photo of the person, and half of them from nobody.
Target of_mixed_patches(std::int64_t people, std::int64_t photos) {
  Target target = test::one_to_one(test::random_faces(people, photos, 0.0),
                                   [](const torch::Tensor& all) { return all.clone(); });
  const auto& real = target.real.photos;
  for (std::int64_t i = 0; i < real.size(0); ++i) {
    const std::int64_t person = target.real.people[static_cast<std::size_t>(i)];
    auto& sources = target.links.photos_of_picture[static_cast<std::size_t>(i)];
    sources.clear();
    for (std::int64_t j = 0; j < photos; ++j) sources.push_back(person * photos + j);
    for (std::int64_t y = 0; y < 28; y += 4) {
      for (std::int64_t x = 0; x < 28; x += 4) {
        const auto at = [&](const torch::Tensor& picture) {
          return picture.slice(1, y, y + 4).slice(2, x, x + 4);
        };
        const std::int64_t photo = person * photos + torch::randint(photos, {1}).item<std::int64_t>();
        auto patch = at(target.released.pictures[i]);
        if (torch::rand({1}).item<double>() < 0.5) {
          patch.copy_(at(real[photo]));
        } else {
          patch.fill_(128);
        }
      }
    }
  }
  return target;
}

TEST(PatchAttacker, SeesThroughPicturesOfPatchesOfSeveralPhotos) {
  const Target target = of_mixed_patches(24, 6);
  std::vector<std::unique_ptr<Attacker>> attackers;
  for (FixedAttacker& fixed : pixel_attackers(28, 28))
    attackers.push_back(std::make_unique<FixedAttacker>(fixed));
  attackers.push_back(std::make_unique<PatchAttacker>());
  const Findings found = attack_release(attackers, target, std::nullopt, {.pairs = {}});
  EXPECT_GT(row_of(found.measurements, "patch-wise", Level::PictureToPerson).found.value, 0.95);
  EXPECT_GT(row_of(found.measurements, "patch-wise", Level::PersonToClass).found.value, 0.95);
  EXPECT_LT(row_of(found.measurements, "pixel 7x7", Level::PictureToPerson).found.value, 0.7);
  for (const Measurement& row : found.measurements)
    EXPECT_NE(row.level, Level::OwnPicture) << "no picture has one photo";
}

TEST(PatchAttacker, LearnsBeforeItLooksAndRanksTheLessonItself) {
  const Target target = of_mixed_patches(12, 4);
  PatchAttacker attacker;
  EXPECT_THROW(attacker.look(target.released, target.real), ConfigError);
  attacker.fit(target.lesson());
  EXPECT_GT(attacker.bandwidth(), 0);
  EXPECT_GT(attacker.kept_share(), 0);
  const auto best = attacker.look(target.released, target.real).by_person.argmax(1);
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < best.size(0); ++i) right += best[i].item<std::int64_t>() == i / 4 ? 1 : 0;
  EXPECT_GT(right, 40) << "of 48";
}

}  // namespace
}  // namespace facemae
