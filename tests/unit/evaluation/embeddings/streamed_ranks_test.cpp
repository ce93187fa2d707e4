#include "evaluation/embeddings/streamed_ranks.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "evaluation/embeddings/count_scores.h"

namespace facemae {
namespace {

TEST(CountScores, CountsWhatIsAboveAndWithinABandOfAnyLength) {
  torch::manual_seed(1);
  const auto drawn = torch::randint(0, 100, {3000}, torch::kFloat32);
  const std::span<const float> scores(drawn.const_data_ptr<float>(), 3000);
  for (const std::size_t length : {0, 1, 15, 16, 17, 2999, 3000}) {
    std::int64_t above = 0, within = 0;
    for (const float score : scores.first(length)) {
      above += score > 60 ? 1 : 0;
      within += score >= 40 && score <= 60 ? 1 : 0;
    }
    const ScoreBand found = count_scores(scores.first(length), 40, 60);
    EXPECT_EQ(found.above, above);
    EXPECT_EQ(found.within, within);
  }
}

/// A gallery of two blocks and a bit with copies in it, which are ties; probes of two blocks.
struct Crowd {
  static constexpr std::int64_t kPeople = 1700, kPhotos = 10, kWidth = 6;
  LinkageInput input;
  std::vector<ProbeMates> own, person;
  Crowd() {
    torch::manual_seed(2);
    auto photos = torch::randn({kPeople * kPhotos, kWidth});
    photos.narrow(0, 4000, 500).copy_(photos.narrow(0, 9000, 500));
    const std::int64_t count = 300;
    std::vector<torch::Tensor> probes;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t mate = i % 3 == 0 ? 4000 + i : i * 53 % (kPeople * kPhotos);
      input.mate.push_back(mate);
      input.probe_identity.push_back(mate / kPhotos);
      probes.push_back(photos[mate] + (i % 3 == 0 ? 0.0 : 0.4) * torch::randn({kWidth}));
    }
    for (std::int64_t i = 0; i < kPeople * kPhotos; ++i) input.gallery_identity.push_back(i / kPhotos);
    const auto unit = [](const torch::Tensor& rows) { return rows / rows.norm(2, 1, true); };
    input.probes = unit(torch::stack(probes));
    input.gallery = unit(photos);
    for (std::size_t i = 0; i < input.mate.size(); ++i) {
      own.push_back({.mates = {input.mate[i]}, .left_out = {}});
      person.push_back({.mates = {}, .left_out = {input.mate[i]}});
      for (std::int64_t other = 0; other < kPhotos; ++other)
        if (const std::int64_t row = input.probe_identity[i] * kPhotos + other; row != input.mate[i])
          person.back().mates.push_back(row);
    }
  }
};

void expect_equal(const std::vector<Standing>& a, const std::vector<Standing>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].mates, b[i].mates) << i;
    EXPECT_EQ(a[i].others, b[i].others) << i;
    EXPECT_EQ(a[i].better, b[i].better) << i;
    EXPECT_EQ(a[i].tied_others, b[i].tied_others) << i;
    EXPECT_EQ(a[i].tied_mates, b[i].tied_mates) << i;
  }
}

TEST(StreamedRanks, AreThoseOfTheWholeMatrixOfScores) {
  const Crowd crowd;
  const Rankings whole = rank_mates(crowd.input);
  std::int64_t seen = 0;
  const std::vector<std::vector<ProbeMates>> questions{crowd.own, crowd.person};
  const auto streamed = stream_ranks(crowd.input.probes, *embeddings_of(crowd.input.gallery), questions,
                                     [&](std::int64_t rows) { seen += rows; });
  expect_equal(streamed[0], whole.same_image);
  expect_equal(streamed[1], whole.same_identity);
  EXPECT_EQ(seen, crowd.input.gallery.size(0));
  std::int64_t ties = 0;
  for (const Standing& standing : streamed[0]) ties += standing.tied_others;
  EXPECT_GE(ties, 100);  // the copies
}

TEST(StreamedRanks, OfPartsAreThoseOfAllProbes) {
  const Crowd crowd;
  const std::vector<std::vector<ProbeMates>> questions{crowd.own};
  const auto gallery = embeddings_of(crowd.input.gallery);
  const auto whole = stream_ranks(crowd.input.probes, *gallery, questions)[0];
  for (const int ranks : {1, 2, 3, 5}) {
    std::vector<Standing> together;
    EXPECT_EQ(first_probe_of(ranks, ranks, 300), 300);
    for (int rank = 0; rank < ranks; ++rank) {
      const std::int64_t first = first_probe_of(rank, ranks, 300),
                         last = first_probe_of(rank + 1, ranks, 300);
      const std::vector<std::vector<ProbeMates>> part{{crowd.own.begin() + first, crowd.own.begin() + last}};
      const auto standings =
          stream_ranks(crowd.input.probes.narrow(0, first, last - first), *gallery, part)[0];
      together.insert(together.end(), standings.begin(), standings.end());
    }
    expect_equal(together, whole);
  }
}

/// Sees how much of a gallery is asked for at once, of which every row is the same.
class WatchedGallery final : public EmbeddingRows {
 public:
  explicit WatchedGallery(std::int64_t rows) : rows_(rows) {}
  std::int64_t rows() const override { return rows_; }
  std::int64_t width() const override { return 2; }
  torch::Tensor block(std::int64_t, std::int64_t count) const override {
    most = std::max(most, count);
    return torch::tensor({{0.6F, 0.8F}}).expand({count, 2});
  }
  torch::Tensor pick(std::span<const std::int64_t> which) const override {
    return block(0, static_cast<std::int64_t>(which.size()));
  }
  mutable std::int64_t most = 0;

 private:
  std::int64_t rows_;
};

TEST(StreamedRanks, HoldABlockOfAGalleryOfAnySize) {
  const WatchedGallery gallery(1'000'000);
  const std::vector<std::vector<ProbeMates>> questions{{{.mates = {999'999}, .left_out = {0, 8192}}}};
  const Standing found = stream_ranks(torch::tensor({{0.6F, 0.8F}}), gallery, questions)[0][0];
  EXPECT_EQ(gallery.most, kGalleryBlock);
  EXPECT_EQ(found.others, 999'997);
  EXPECT_EQ(found.tied_others, 999'997);
  EXPECT_EQ(found.better, 0);
}

TEST(StreamedRanks, RefuseQuestionsAboutOtherProbes) {
  const auto rows = torch::ones({2, 3});
  const std::vector<std::vector<ProbeMates>> one{{ProbeMates{}}};
  EXPECT_THROW(stream_ranks(rows, *embeddings_of(rows), one), ConfigError);
}

}  // namespace
}  // namespace facemae
