#include "data/synth/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iostream>
#include <limits>
#include <thread>

#include "core/checksum.h"

namespace facemae {
namespace {

Hash128 hash(const Image& image) { return xxh128(bytes_of(std::span<const std::uint8_t>(image.pixels))); }

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

using Feature = std::vector<double>;

/// Mean colour of the rectangle.
Feature mean_of(const Image& image, int left, int top, int right, int bottom) {
  Feature mean(3);
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x)
      for (int c = 0; c < 3; ++c)
        mean[static_cast<std::size_t>(c)] +=
            image.pixels[static_cast<std::size_t>(3 * (y * image.width + x) + c)];
  for (double& m : mean) m /= (right - left) * (bottom - top);
  return mean;
}
Feature mean_colour(const Image& image) { return mean_of(image, 0, 0, 112, 112); }

/// 28 squares along the edge of the picture, 14 pixels wide: background, mostly.
Feature border(const Image& image) {
  Feature all;
  for (int y = 0; y < 112; y += 14)
    for (int x = 0; x < 112; x += 14)
      if (x == 0 || y == 0 || x == 98 || y == 98)
        for (const double m : mean_of(image, x, y, x + 14, y + 14)) all.push_back(m);
  return all;
}

/// 16 levels of each colour.
Feature histogram(const Image& image) {
  Feature counts(48);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) ++counts[i % 3 * 16 + image.pixels[i] / 16];
  return counts;
}

Feature jpeg_size(const Image& image) { return {static_cast<double>(encode_jpeg(image).size())}; }

/// Gradient orientations in 8 x 8 cells of 14 pixels, 8 directions, each cell of unit length:
/// shape without colour.
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
  // Pinned: changes when the generator changes on purpose, and only then. Also run with the drawing compiled
  // in other ways (CMakeLists.txt): a compiler that contracted or reordered arithmetic would show here.
  Hasher all;
  for (std::uint64_t i = 0; i < 16; ++i)
    all.add(bytes_of(std::span<const std::uint8_t>(render_face(1, i, i).pixels)));
  EXPECT_EQ(all.digest().hex(), "7b4b36c948629f30dac1ab7557fd3255");
}

TEST(Synth, NamesIdentitiesGlobally) { EXPECT_EQ(synth_name(123), "syn-0000123"); }

TEST(Synth, DrawsTheSamePixelsInAnyThread) {
  std::array<std::vector<Hash128>, 4> drawn;
  {
    std::vector<std::jthread> threads;
    threads.reserve(drawn.size());
    for (auto& hashes : drawn)
      threads.emplace_back([&hashes] {
        for (std::uint64_t i = 0; i < 8; ++i) hashes.push_back(hash(render_face(1, i % 3, i)));
      });
  }
  for (const auto& hashes : drawn) EXPECT_EQ(hashes, drawn[0]);
}

/// 40 people, 6 pictures each, drawn once for the tests below.
class SynthPeople : public testing::Test {
 protected:
  static constexpr std::size_t kPeople = 40, kPictures = 6;
  static constexpr double kChance = (kPictures - 1.0) / (kPeople * kPictures - 1.0);  // 0.021

  static const std::vector<Image>& pictures() {
    static const std::vector<Image> all = [] {
      std::vector<Image> drawn;
      for (std::uint64_t k = 0; k < kPeople; ++k)
        for (std::uint64_t i = 0; i < kPictures; ++i) drawn.push_back(render_face(1, k, i));
      return drawn;
    }();
    return all;
  }
  template <class Of>
  static std::vector<Feature> features(Of of) {
    std::vector<Feature> all;
    for (const Image& image : pictures()) all.push_back(of(image));
    return all;
  }
  template <class Of>
  static double told_apart_by(Of of) {
    return nearest_neighbour_rate(features(of), kPictures);
  }
};

TEST_F(SynthPeople, CannotBeToldApartByTrivialCues) {
  struct Cue {
    const char* name;
    double rate;
  };
  const Cue cues[] = {{"mean colour", told_apart_by(mean_colour)},
                      {"border", told_apart_by(border)},
                      {"histogram", told_apart_by(histogram)},
                      {"size of the JPEG", told_apart_by(jpeg_size)}};
  for (const Cue& cue : cues) {
    std::cout << "nearest neighbour by " << cue.name << ": " << cue.rate << ", chance " << kChance << "\n";
    EXPECT_LT(cue.rate, 5 * kChance) << cue.name;
  }
  EXPECT_LT(cues[0].rate, 3 * kChance) << cues[0].name;
}

TEST_F(SynthPeople, CanBeToldApartByShape) {
  EXPECT_GT(told_apart_by(gradients), 8 * kChance);

  // Pairs: how often is a same-identity pair nearer than a different-identity pair (area under the curve)?
  const auto shapes = features(gradients);
  std::vector<double> same, other;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    for (std::size_t j = i + 1; j < shapes.size(); ++j) {
      (i / kPictures == j / kPictures ? same : other).push_back(distance(shapes[i], shapes[j]));
    }
  }
  std::sort(other.begin(), other.end());
  double auc = 0;
  for (const double d : same) {
    auc += static_cast<double>(other.end() - std::upper_bound(other.begin(), other.end(), d));
  }
  auc /= static_cast<double>(same.size() * other.size());
  std::cout << "by shape " << told_apart_by(gradients) << "; same-identity pairs nearer in shape " << auc
            << " (chance 0.5)\n";
  EXPECT_GT(auc, 0.6);
}

TEST(Synth, PrintsItsSpeed) {
  const std::clock_t start = std::clock();
  std::size_t lit = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Image face = render_face(3, i, i);
    lit += face.pixels[20'000] > 0 && encode_jpeg(face).size() > 1000 ? 1 : 0;
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::cout << "synthetic faces: " << 100 / seconds << " images/s on one core, encoded as JPEG\n";
  EXPECT_GT(lit, 50U);  // pictures, not black squares
}

}  // namespace
}  // namespace facemae
