// IJB's protocol against numbers of ijb.py, which computes them by another way, in numpy: 300 faces of 60 templates, with
// media of one face and of several, ties, and a template of nothing.
#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <sstream>

#include "core/log.h"
#include "evaluation/ijb/templates.h"
#include "tests/golden/numbers.h"

namespace facemae {
namespace {

constexpr std::size_t kTemplates = 60, kFaces = 300, kWidth = 24, kPeople = 20;

/// As in ijb.py.
class GoldenDraws {
 public:
  int below(std::uint64_t bound) {
    state_ = (state_ * 1103515245 + 12345) % (std::uint64_t{1} << 31);
    return static_cast<int>((state_ >> 16) % bound);
  }

 private:
  std::uint64_t state_ = 20260;
};

/// The lists as they lie in files, with ids of templates that begin at 100 and leave gaps, and the embeddings.
struct GoldenIjb {
  std::string scores, media, pairs, gallery_1 = "TEMPLATE,SUBJECT\n", gallery_2 = gallery_1,
                                    probes = gallery_1;
  std::vector<float> plain, mirrored;

  static std::size_t id(std::size_t at) { return 100 + 3 * at; }
  GoldenIjb() {
    GoldenDraws draws;
    std::vector<std::vector<int>> people(kPeople, std::vector<int>(kWidth));
    for (auto& person : people)
      for (int& value : person) value = draws.below(41) - 20;
    int score = 0;
    std::vector<int> face(kWidth), mirror(kWidth);
    for (std::size_t i = 0; i < kFaces; ++i) {
      const std::size_t at = i < kTemplates ? i : static_cast<std::size_t>(draws.below(kTemplates - 3));
      const int number = draws.below(4), drawn_score = draws.below(1000) + 1;
      std::vector<int> drawn(kWidth), drawn_mirror(kWidth);
      for (std::size_t k = 0; k < kWidth; ++k) drawn[k] = people[at % kPeople][k] + draws.below(61) - 30;
      for (std::size_t k = 0; k < kWidth; ++k) drawn_mirror[k] = drawn[k] + draws.below(21) - 10;
      if (i != kTemplates - 2)
        score = drawn_score, face = drawn, mirror = drawn_mirror;  // else the face before
      if (i == kTemplates - 1) face.assign(kWidth, 0), mirror = face;
      plain.insert(plain.end(), face.begin(), face.end());
      mirrored.insert(mirrored.end(), mirror.begin(), mirror.end());
      scores += fmt::format("{}.jpg 30 40 70 40.5 50 60 35 80 65 80 {}\n", i + 1, score / 1000.0);
      media += fmt::format("{}.jpg {} {}\r\n", i + 1, id(at), number);
    }
    for (std::size_t a = 0; a < kTemplates; ++a)
      for (std::size_t b = a + 1; b < kTemplates; ++b)
        pairs += fmt::format("{} {} {}\n", id(a), id(b), a % kPeople == b % kPeople ? 1 : 0);
    for (std::size_t a = 0; a < kTemplates; ++a)
      (a < 10        ? gallery_1
       : a < kPeople ? gallery_2
                     : probes) += fmt::format("{},{}\n", id(a), 7000 + a % kPeople);
  }
};

/// Value by "variant figure".
std::map<std::string, double> golden_figures() {
  std::map<std::string, double> figures;
  std::istringstream lines(read_file(golden_file("ijb.txt")));
  for (std::string line; std::getline(lines, line);) {
    const auto end = line.rfind(' ');
    std::from_chars(line.data() + end + 1, line.data() + line.size(), figures[line.substr(0, end)]);
  }
  return figures;
}

TEST(GoldenIjb, GivesTheFiguresOfNumpyToTheLastDigitInAllVariants) {
  const GoldenIjb made;
  const IjbFaces faces = read_ijb_faces(TextLines(made.scores, "scores"), TextLines(made.media, "media"));
  const IjbPairs pairs = read_ijb_pairs(TextLines(made.pairs, "pairs"), faces);
  std::vector<TextLines> galleries;
  galleries.emplace_back(made.gallery_1, "gallery 1");
  galleries.emplace_back(made.gallery_2, "gallery 2");
  const IjbSearch search = read_ijb_search(std::move(galleries), TextLines(made.probes, "probes"), faces);
  auto wanted = golden_figures();
  ASSERT_EQ(wanted.size(), 160U);
  std::size_t compared = 0;
  for (const bool raw : {true, false})
    for (const bool scored : {true, false})
      for (const bool flip : {true, false}) {
        const std::string variant =
            fmt::format("N{}D{}F{}", static_cast<int>(raw), static_cast<int>(scored), static_cast<int>(flip));
        const auto expect = [&](const std::string& figure, double value) {
          ASSERT_TRUE(wanted.contains(variant + ' ' + figure)) << figure;
          EXPECT_EQ(value, wanted[variant + ' ' + figure]) << variant << ' ' << figure;
          ++compared;
        };
        std::vector<float> rows = made.plain;
        for (std::size_t i = 0; flip && i < rows.size(); ++i) rows[i] += made.mirrored[i];
        const auto templates =
            pool_templates(faces, rows, kWidth, {.normalise_faces = !raw, .use_scores = scored});
        const auto sorted = score_pairs(templates, pairs, 2);
        double points = 0;
        walk_roc(sorted, [&](const RocPoint&) { ++points; });
        expect("templates", static_cast<double>(faces.template_ids.size()));
        expect("pairs", static_cast<double>(pairs.size()));
        expect("same", static_cast<double>(sorted.same.size()));
        expect("scores", points);
        for (const auto& rate : tar_at_far(sorted)) {
          expect(fmt::format("tar {:g}", rate.far), rate.tar);
          expect(fmt::format("nearest_tar {:g}", rate.far), rate.nearest_tar);
          expect(fmt::format("nearest_far {:g}", rate.far), rate.nearest_far);
        }
        const auto found = search_templates(templates, search, 2);
        for (const auto& at : found.ranks) expect(fmt::format("rank {}", at.rank), at.rate);
        for (const auto& at : found.rates) {
          expect(fmt::format("threshold {:g}", at.fpir), at.threshold);
          expect(fmt::format("tpir {:g}", at.fpir), at.tpir);
        }
      }
  EXPECT_EQ(compared, wanted.size()) << "all that numpy has computed";
}

}  // namespace
}  // namespace facemae
