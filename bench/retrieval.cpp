// Times exact retrieval: probes x gallery scores a second of processor time, on one thread, of the streamed way, and of the way that keeps rows of scores,
// with the memory that each adds.
#include "evaluation/linkage/retrieval.h"

#include <sys/resource.h>
#include <torch/torch.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>

#include "evaluation/embeddings/streamed_ranks.h"

namespace {

using namespace facemae;

/// Of the processor: other programs on the machine do not count.
double seconds_of(const std::function<void()>& work) {
  const auto start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

double peak_mib() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1024;
}

/// Rows of a key, made by the block, so that no file and no memory of their size is needed.
class DrawnRows final : public EmbeddingRows {
 public:
  DrawnRows(std::int64_t rows, std::int64_t width)
      : rows_(rows), block_(torch::nn::functional::normalize(torch::randn({kGalleryBlock, width}))) {}
  std::int64_t rows() const override { return rows_; }
  std::int64_t width() const override { return block_.size(1); }
  torch::Tensor block(std::int64_t, std::int64_t count) const override {
    return block_.narrow(0, 0, count).clone();  // as reading it costs
  }
  torch::Tensor pick(std::span<const std::int64_t> which) const override {
    std::vector<std::int64_t> in_block;
    for (const std::int64_t row : which) in_block.push_back(row % kGalleryBlock);
    return block_.index_select(0, torch::tensor(in_block));
  }

 private:
  std::int64_t rows_;
  torch::Tensor block_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: bench_retrieval PROBES GALLERY WIDTH [REAL.npy | kept]\n");
    return 2;
  }
  const std::int64_t probes = std::atoll(argv[1]), gallery = std::atoll(argv[2]), width = std::atoll(argv[3]);
  const std::string how = argc > 4 ? argv[4] : "";
  torch::manual_seed(1);
  at::set_num_threads(1);
  const auto rows = torch::nn::functional::normalize(torch::randn({probes, width}));
  double seconds = 0, before = 0;
  std::int64_t better = 0;
  if (how == "kept") {
    LinkageInput input{rows, torch::nn::functional::normalize(torch::randn({gallery, width})), {}, {}, {}};
    for (std::int64_t i = 0; i < probes; ++i) input.mate.push_back(i), input.probe_identity.push_back(i / 10);
    for (std::int64_t i = 0; i < gallery; ++i) input.gallery_identity.push_back(i / 10);
    before = peak_mib();
    seconds = seconds_of([&] { better = rank_mates(input).same_image[0].better; });
  } else {
    const std::unique_ptr<EmbeddingRows> supply =
        how.empty() ? std::make_unique<DrawnRows>(gallery, width) : embeddings_in(how);
    std::vector<std::vector<ProbeMates>> questions(2);
    for (std::int64_t i = 0; i < probes; ++i) {
      const std::int64_t first = i / 10 * 10;
      questions[0].push_back({.mates = {i}, .left_out = {}});
      questions[1].push_back({.mates = {}, .left_out = {}});
      for (std::int64_t other = first; other < first + 10; ++other)
        questions[1].back().mates.push_back(other);
    }
    before = peak_mib();
    seconds = seconds_of([&] { better = stream_ranks(rows, *supply, questions)[0][0].better; });
  }
  std::printf("%.3g scores/s  %.1f processor seconds  peak %.0f MiB, %.0f MiB of it added (%lld better)\n",
              static_cast<double>(probes) * static_cast<double>(gallery) / seconds, seconds, peak_mib(),
              peak_mib() - before, static_cast<long long>(better));
  return 0;
}
