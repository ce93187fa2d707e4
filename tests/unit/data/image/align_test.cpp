#include "data/image/align.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.h"

namespace facemae {
namespace {

/// As picture() of tests/golden/align.py, which made the numbers below.
Image golden_picture(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.pixels.push_back(
            static_cast<std::uint8_t>((x * (3 + c) + y * (5 - c) + x * y / (7 + c)) % 256));
  return image;
}

struct Golden {
  const char* name;
  FacePoints points;
  int width, height;
  Similarity fit;
  double mean;
  std::vector<double> samples;  ///< RGB at (u, v), v in 0 17 56 93 111, u in 0 31 56 80 111
};

const std::vector<Golden>& golden() {
  static const std::vector<Golden> all = {
      {"large, turned",
       {{{314.84, 222.52}, {400.27, 216.12}, {371.58, 270.44}, {312.27, 301.87}, {398.8, 297.25}}},
       520,
       420,
       {0.4263951006, 0.0043868360, -96.13727943, -41.23852978},
       127.421618,
       {107.885, 114.284, 198.973, 129.224, 179.936, 104.820, 148.974, 75.859,  133.666, 136.541, 148.849,
        180.401, 109.451, 171.308, 142.456, 69.950,  130.662, 56.335,  110.546, 76.346,  184.712, 90.716,
        133.581, 71.185,  104.176, 101.900, 114.098, 132.990, 134.250, 156.291, 188.211, 50.658,  104.319,
        156.783, 62.319,  174.130, 136.712, 116.441, 156.376, 140.231, 95.752,  90.163,  155.376, 111.399,
        99.961,  164.510, 89.182,  96.761,  86.518,  115.865, 94.836,  180.744, 115.744, 88.695,  117.674,
        124.619, 154.807, 107.884, 113.609, 161.702, 144.707, 156.025, 164.494, 123.069, 102.856, 103.241,
        80.761,  90.316,  119.947, 161.701, 161.146, 152.473, 151.142, 102.742, 124.437}},
      {"small",
       {{{10.5, 9.0}, {20.25, 12.5}, {13.0, 18.75}, {8.0, 21.0}, {15.5, 24.25}}},
       130,
       118,
       {3.1142098009, -1.0647052578, -4.06642173, 32.96807812},
       104.055660,
       {0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,
        0.000,   127.286, 160.777, 194.436, 0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   66.023,
        83.235,  100.761, 108.510, 129.159, 149.729, 170.800, 194.013, 218.945, 0.000,   0.000,   0.000,
        84.683,  81.250,  77.181,  133.708, 133.188, 133.139, 186.607, 187.628, 189.847, 21.864,  10.529,
        13.251,  0.000,   0.000,   0.000,   128.323, 110.038, 92.145,  187.253, 170.561, 155.294, 212.471,
        233.016, 219.493, 78.929,  63.438,  51.868,  0.000,   0.000,   0.000,   145.239, 120.407, 95.937,
        209.227, 185.487, 163.149, 18.727,  162.497, 230.483, 110.998, 87.509,  67.176}},
      {"upside down",
       {{{80, 90}, {40, 92}, {60, 70}, {75, 48}, {44, 50}}},
       130,
       118,
       {-0.9401479074, -0.0225968643, 110.66522436, 139.06242600},
       96.078876,
       {0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,
        0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,
        0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   0.000,   200.851, 52.420,  200.132,
        222.112, 92.112,  185.069, 82.509,  218.479, 119.224, 207.693, 100.457, 76.867,  212.792, 123.728,
        34.420,  90.209,  64.835,  61.418,  43.467,  50.743,  217.107, 50.171,  11.725,  240.180, 62.586,
        19.179,  236.631, 219.362, 204.111, 155.141, 178.607, 212.595, 37.301,  222.136, 234.126, 41.735,
        45.456,  45.634,  52.884,  126.800, 113.911, 104.862, 151.729, 121.889, 92.410}},
      {"mirrored",
       {{{73, 51}, {38, 52}, {56, 71}, {71, 92}, {41, 92}}},
       130,
       118,
       {0.2195116938, -0.0002421746, 43.76006779, 56.19725607},
       7.498302,
       {0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000,  0.000,  0.000,
        0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000,  0.000,  0.000,
        0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 75.021, 98.719, 11.767,
        0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000,  0.000,  0.000,
        0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000,  0.000,  0.000,
        0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000, 0.000}},
  };
  return all;
}

TEST(Align, FitsAsUmeyamaDoesByAnSvd) {
  for (const Golden& face : golden()) {
    const Similarity fit = fit_similarity(face.points, kArcFaceTemplate);
    EXPECT_NEAR(fit.a, face.fit.a, 1e-9) << face.name;
    EXPECT_NEAR(fit.b, face.fit.b, 1e-9) << face.name;
    EXPECT_NEAR(fit.dx, face.fit.dx, 1e-7) << face.name;
    EXPECT_NEAR(fit.dy, face.fit.dy, 1e-7) << face.name;
  }
}

TEST(Align, WarpsToThePixelsOfAnIndependentComputation) {
  for (const Golden& face : golden()) {
    const Image aligned = align_face(golden_picture(face.width, face.height), face.points);
    ASSERT_EQ(aligned.pixels.size(), 112u * 112 * 3);
    std::size_t at = 0;
    for (const std::size_t v : {0, 17, 56, 93, 111})
      for (const std::size_t u : {0, 31, 56, 80, 111})
        for (std::size_t c = 0; c < 3; ++c)
          EXPECT_NEAR(aligned.pixels[(v * 112 + u) * 3 + c], face.samples[at++], 0.502)
              << face.name << " " << u << " " << v;
    const double sum = std::accumulate(aligned.pixels.begin(), aligned.pixels.end(), 0.0);
    EXPECT_NEAR(sum / static_cast<double>(aligned.pixels.size()), face.mean, 0.05) << face.name;
  }
}

TEST(Align, AnAlignedFaceStaysAsItIs) {
  const Image image = golden_picture(112, 112);
  EXPECT_EQ(align_face(image, kArcFaceTemplate).pixels, image.pixels);
}

TEST(Align, TheInverseLeadsBack) {
  const Similarity there{1.5, -0.5, 20, -3};
  const PicturePoint back = there.inverse()(there({7, 11}));
  EXPECT_NEAR(back.x, 7, 1e-12);
  EXPECT_NEAR(back.y, 11, 1e-12);
}

TEST(Align, ShrinkingAveragesInsteadOfPickingPixels) {
  Image stripes{400, 400, {}};  // one pixel white, one black: grey when seen from afar
  for (int i = 0; i < 400 * 400; ++i) stripes.pixels.insert(stripes.pixels.end(), 3, i % 2 == 0 ? 255 : 0);
  const Image small = warp(stripes, {0.25, 0, 0, 0}, 90);
  for (std::size_t i = 3 * 90; i < small.pixels.size() - 3 * 90; i += 3)
    if (i / 3 % 90 > 0) {
      ASSERT_NEAR(small.pixels[i], 127.5, 2) << i;
    }
}

TEST(Align, PointsThatAreNoFaceAreRefused) {
  FacePoints one_place;
  one_place.fill({30, 40});
  EXPECT_THROW(fit_similarity(one_place, kArcFaceTemplate), DataError);
  FacePoints broken = kArcFaceTemplate;
  broken[2].x = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(fit_similarity(broken, kArcFaceTemplate), DataError);
  broken[2].x = std::numeric_limits<double>::infinity();
  EXPECT_THROW(fit_similarity(broken, kArcFaceTemplate), DataError);
}

}  // namespace
}  // namespace facemae
