#include "evaluation/ijb/templates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

IjbFaces small_faces(const std::vector<std::uint32_t>& templates, const std::vector<std::int64_t>& media,
                     const std::vector<float>& scores) {
  IjbFaces faces;
  faces.names.assign(templates.size(), "");
  faces.templates = templates;
  faces.media = media;
  faces.scores = scores;
  for (std::uint32_t i = 0; i <= *std::max_element(templates.begin(), templates.end()); ++i)
    faces.template_ids.push_back(i);
  return faces;
}

TEST(IjbTemplates, AreSumsOfTheMeansOfTheirMedia) {
  // Template 0: media 5 with two faces and media 6 with one, which come mixed with template 1's.
  const IjbFaces faces = small_faces({0, 1, 0, 0}, {5, 5, 6, 5}, {0.5F, 1, 1, 0.5F});
  const std::vector<float> rows = {6, 0, 0, 7, 0, 4, 6, 0};
  const auto templates = pool_templates(faces, rows, 2, {});
  EXPECT_FLOAT_EQ(templates[0][0], 0.6F);  // (3, 0) + (0, 4)
  EXPECT_FLOAT_EQ(templates[0][1], 0.8F);
  EXPECT_EQ(templates[1][0], 0);
  EXPECT_EQ(templates[1][1], 1);
  const auto alike = pool_templates(faces, rows, 2, {.normalise_faces = true, .use_scores = false});
  EXPECT_FLOAT_EQ(alike[0][0], static_cast<float>(std::sqrt(0.5)));  // (1, 0) + (0, 1)
  EXPECT_THROW(pool_templates(faces, std::vector<float>(6), 2, {}), DataError);
}

TEST(IjbTemplates, OfNothingScoreZeroAndAreNoHit) {
  const IjbFaces faces = small_faces({0, 1, 2}, {0, 0, 0}, {1, 1, 1});
  const auto templates = pool_templates(faces, std::vector<float>{0, 0, 3, 4, 0, 2}, 2, {});
  EXPECT_EQ(similarity(templates[0], templates[1]), 0);
  EXPECT_FLOAT_EQ(similarity(templates[1], templates[2]), 0.8F);
  const auto scores = score_pairs(templates, {{0, 1, 0}, {1, 2, 2}, {1, 1, 0}}, 1);
  EXPECT_EQ(scores.same, (std::vector<float>{-0.8F, 0}));
  EXPECT_EQ(scores.different, (std::vector<float>{0}));
  const auto found = search_templates(templates, {.gallery = {1, 2}, .probes = {0, 2}, .mates = {0, 1}}, 2);
  EXPECT_EQ(found.ranks[0].rate, 0.5) << "a probe of nothing is as near to everybody";
  EXPECT_EQ(found.ranks[1].rate, 1) << "of two";
  EXPECT_EQ(search_templates(templates, {.gallery = {1}, .probes = {2}, .mates = {0}}, 1).rates.size(), 0U)
      << "nobody else is there";
}

}  // namespace
}  // namespace facemae
