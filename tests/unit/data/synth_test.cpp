#include "data/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <iostream>
#include <limits>

#include "core/checksum.h"

namespace facemae {
namespace {

Hash128 hash(const Image& image) { return xxh128(bytes_of(std::span<const std::uint8_t>(image.pixels))); }

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

std::vector<double> mean_colour(const Image& image) {
  std::vector<double> mean(3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) mean[i % 3] += image.pixels[i];
  for (double& m : mean) m /= static_cast<double>(image.pixels.size()) / 3;
  return mean;
}

/// Gradient orientations in 8 x 8 cells of 14 pixels, 8 directions, each cell of unit length: shape without
/// colour.
std::vector<double> gradients(const Image& image) {
  const auto grey = [&](int x, int y) {
    const std::uint8_t* p = &image.pixels[static_cast<std::size_t>(3 * (y * image.width + x))];
    return 0.3 * p[0] + 0.6 * p[1] + 0.1 * p[2];
  };
  std::vector<double> cells(8 * 8 * 8);
  for (int y = 1; y < 111; ++y) {
    for (int x = 1; x < 111; ++x) {
      const double dx = grey(x + 1, y) - grey(x - 1, y), dy = grey(x, y + 1) - grey(x, y - 1);
      const int direction = static_cast<int>((std::atan2(dy, dx) / (2 * std::acos(-1.0)) + 0.5) * 7.999);
      cells[static_cast<std::size_t>(((y / 14) * 8 + x / 14) * 8 + direction)] += std::hypot(dx, dy);
    }
  }
  for (std::size_t c = 0; c < cells.size(); c += 8) {
    double norm = 1e-9;
    for (std::size_t i = c; i < c + 8; ++i) norm += cells[i] * cells[i];
    for (std::size_t i = c; i < c + 8; ++i) cells[i] /= std::sqrt(norm);
  }
  return cells;
}

/// Fraction of images whose nearest neighbour (other images of all identities) is of the same identity.
double nearest_neighbour_rate(const std::vector<std::vector<double>>& features,
                              std::size_t images_per_identity) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < features.size(); ++i) {
    double best = std::numeric_limits<double>::max();
    std::size_t at = i;
    for (std::size_t j = 0; j < features.size(); ++j) {
      const double d = distance(features[i], features[j]);
      if (j != i && d < best) {
        best = d;
        at = j;
      }
    }
    right += at / images_per_identity == i / images_per_identity ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(features.size());
}

TEST(Synth, DrawsTheSameFaceForTheSameCountersAndAnotherForOthers) {
  const Image image = render_face(7, 12, 3);
  EXPECT_EQ(image.width, kSynthSize);
  EXPECT_EQ(image.height, kSynthSize);
  ASSERT_EQ(image.pixels.size(), 112U * 112U * 3U);
  EXPECT_EQ(hash(image), hash(render_face(7, 12, 3)));
  EXPECT_NE(hash(image), hash(render_face(8, 12, 3)));
  EXPECT_NE(hash(image), hash(render_face(7, 13, 3)));
  EXPECT_NE(hash(image), hash(render_face(7, 12, 4)));
}

TEST(Synth, DrawsTheSamePixelsOnEveryMachine) {
  // Pinned: changes when the generator changes on purpose, and only then.
  Hasher all;
  for (std::uint64_t i = 0; i < 16; ++i)
    all.add(bytes_of(std::span<const std::uint8_t>(render_face(1, i, i).pixels)));
  EXPECT_EQ(all.digest().hex(), "7b4b36c948629f30dac1ab7557fd3255");
}

TEST(Synth, NamesIdentitiesGlobally) { EXPECT_EQ(synth_name(123), "syn-0000123"); }

TEST(Synth, CannotBeToldApartByMeanColourButByShape) {
  constexpr std::size_t identities = 40, images = 6;
  std::vector<std::vector<double>> colours, shapes;
  for (std::uint64_t k = 0; k < identities; ++k) {
    for (std::uint64_t i = 0; i < images; ++i) {
      const Image image = render_face(1, k, i);
      colours.push_back(mean_colour(image));
      shapes.push_back(gradients(image));
    }
  }
  const double chance = (images - 1.0) / (identities * images - 1.0);
  const double by_colour = nearest_neighbour_rate(colours, images),
               by_shape = nearest_neighbour_rate(shapes, images);

  // Pairs: how often is a same-identity pair nearer than a different-identity pair (area under the curve)?
  std::vector<double> same, other;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    for (std::size_t j = i + 1; j < shapes.size(); ++j) {
      (i / images == j / images ? same : other).push_back(distance(shapes[i], shapes[j]));
    }
  }
  std::sort(other.begin(), other.end());
  double auc = 0;
  for (const double d : same) {
    auc += static_cast<double>(other.end() - std::upper_bound(other.begin(), other.end(), d));
  }
  auc /= static_cast<double>(same.size() * other.size());
  std::cout << "nearest neighbour by mean colour " << by_colour << ", by shape " << by_shape << ", chance "
            << chance << "; same-identity pairs nearer in shape " << auc << " (chance 0.5)\n";
  RecordProperty("by_colour", std::to_string(by_colour));
  EXPECT_LT(by_colour, 5 * chance);
  EXPECT_GT(by_shape, 3 * by_colour);
  EXPECT_GT(auc, 0.6);
}

TEST(Synth, PrintsItsSpeed) {
  const std::clock_t start = std::clock();
  std::size_t lit = 0;
  for (std::uint64_t i = 0; i < 100; ++i) lit += render_face(3, i, i).pixels[40'000] > 0 ? 1 : 0;
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::cout << "synthetic faces: " << 100 / seconds << " images/s on one core\n";
  EXPECT_GT(lit, 50U);  // pictures, not black squares
}

}  // namespace
}  // namespace facemae
