#include "trainer/release/class_audit.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "core/error.h"

namespace facemae {
namespace {

/// Six people in three classes of two; two photos of each, two pictures of each class.
struct Case {
  ReleasedFaces released{
      .pictures = torch::zeros({6, 3, 4, 4}), .classes = {0, 0, 1, 1, 2, 2}, .class_count = 3};
  RealFaces real{.photos = torch::zeros({12, 3, 4, 4}),
                 .people = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5},
                 .people_count = 6};
  FaceLinks links{.photos_of_picture = {}, .people_of_class = {{0, 1}, {2, 3}, {4, 5}}};
};

class Oracle final : public Attacker {
 public:
  explicit Oracle(Evidence evidence) : evidence_(std::move(evidence)) {}
  AttackerFacts facts() const override {
    return {.id = "A9", .name = "oracle", .knows = "", .controls = "", .cost = ""};
  }
  Evidence look(const ReleasedFaces&, const RealFaces&) override { return evidence_; }

 private:
  Evidence evidence_;
};

std::vector<Measurement> found_by(Evidence evidence) {
  const Case c;
  std::vector<std::unique_ptr<Attacker>> attackers;
  attackers.push_back(std::make_unique<Oracle>(std::move(evidence)));
  return look_for_people(attackers, c.released, c.real, c.links);
}

TEST(ClassAudit, CountsOnePersonOfAClassAsFoundAndDividesByItsPeople) {
  // Pictures of class c look like the photos of its second person.
  const auto at = torch::eye(6);
  const auto second = torch::tensor({1, 1, 3, 3, 5, 5}, torch::kInt64);
  const auto own = torch::tensor({0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, torch::kInt64);
  const auto found =
      found_by({.released = at.index_select(0, second), .real = at.index_select(0, own), .by_person = {}});
  ASSERT_EQ(found.size(), 2U);
  for (const Measurement& one : found) {
    EXPECT_EQ(one.found.value, 1);
    EXPECT_EQ(one.people_per_class, 2);
    EXPECT_EQ(naming_odds(one).value, 0.5);
    EXPECT_NEAR(one.chance, 1.0 / 3, 1e-12);
    EXPECT_EQ(one.tallies.size(), 3U);
  }
  EXPECT_EQ(found[0].tallies[0].trials, 2);
  EXPECT_EQ(worst_of(found, Level::ClassToPerson).tallies[0].trials, 1);
  EXPECT_THROW(worst_of(found, Level::Membership), Error);
}

TEST(ClassAudit, CountsMisses) {
  const auto at = torch::eye(6);
  // The first class looks like one of its people in one of two pictures, the others like nobody of theirs.
  const auto shown = torch::tensor({0, 5, 0, 1, 0, 1}, torch::kInt64);
  const auto own = torch::tensor({0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, torch::kInt64);
  const auto found =
      found_by({.released = at.index_select(0, shown), .real = at.index_select(0, own), .by_person = {}});
  EXPECT_NEAR(found[0].found.value, 1.0 / 6, 1e-12);
}

TEST(ClassAudit, AddsUpTheEvidenceOfAClass) {
  auto evidence = torch::zeros({6, 6});
  evidence[0][5] = 3;  // alone, the first picture points to somebody else
  evidence[0][0] = 2;
  evidence[1][0] = 2;
  evidence[2][2] = evidence[3][3] = 1;
  evidence[4][0] = evidence[5][0] = 1;
  const auto found = found_by({.released = {}, .real = {}, .by_person = evidence});
  EXPECT_NEAR(found[0].found.value, 3.0 / 6, 1e-12);
  EXPECT_NEAR(found[1].found.value, 2.0 / 3, 1e-12);
}

TEST(ClassAudit, FindsCopiesOfPhotosByPixels) {
  Case c;
  c.real.photos =
      torch::randint(0, 256, {12, 3, 32, 32}, at::make_generator<at::CPUGeneratorImpl>(4), torch::kUInt8);
  c.released.pictures = c.real.photos.slice(0, 0, 12, 2).contiguous();  // the first photo of each person
  const auto found = look_for_people(fixed_pixel_attackers(), c.released, c.real, c.links);
  EXPECT_EQ(found.size(), 8U);
  EXPECT_EQ(worst_of(found, Level::PictureToPerson).found.value, 1);
  EXPECT_EQ(worst_of(found, Level::ClassToPerson).found.value, 1);
}

}  // namespace
}  // namespace facemae
