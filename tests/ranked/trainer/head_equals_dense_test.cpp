// The head over any number of ranks, with samples, margins, pieces and micro-batches, equals a dense softmax of one
// process over the same classes, and so do the centres and their state after three steps.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstdlib>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "data/order/order.h"
#include "model/softmax/margin_softmax.h"
#include "model/softmax/shard_softmax.h"
#include "tests/dense_head.h"
#include "tests/relative.h"
#include "trainer/classes/class_optimizer.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"

namespace facemae {
namespace {

struct HeadTrial {
  std::int64_t classes = 37, shards = 7;
  double rate = 0.5;
  std::string margin = "arcface";
  std::optional<double> filter;
  int micro_batches = 1;
  std::int64_t at_once = 1 << 20;  ///< classes of a buffer of logits
  bool adamw = false, exact = false;
  torch::ScalarType type = torch::kFloat64;

  double tolerance() const { return type == torch::kFloat64 ? 1e-10 : 1e-6; }
  /// Of what lasts. AdamW divides a gradient by its size: of a small one, rounding becomes a part of the step.
  double lasting_tolerance() const { return tolerance() * (type == torch::kFloat32 && adamw ? 1000 : 10); }
};

std::ostream& operator<<(std::ostream& out, const HeadTrial& trial) {
  return out << trial.classes << " classes in " << trial.shards << " shards at " << trial.rate << ", "
             << trial.margin << (trial.filter ? ", filtered" : "") << ", " << trial.micro_batches
             << " micro-batches, " << trial.at_once << " at once" << (trial.adamw ? ", adamw" : ", sgd")
             << (trial.exact ? ", exact" : "") << ", " << trial.type;
}

class HeadEqualsDense : public testing::Test {
 protected:
  static constexpr int kSteps = 3;
  static constexpr std::int64_t kRows = 13;  // of a micro-batch over all ranks

  MpiCommunicator ranks_{"head equals dense test", std::chrono::seconds(60)};

  void compare(const HeadTrial& trial) {
    SCOPED_TRACE(testing::Message() << trial);
    torch::manual_seed(11);  // every rank draws everything and keeps its own
    const auto options = torch::TensorOptions().dtype(trial.type);
    const dense::Head head{.margin = trial.margin, .filter = trial.filter, .adamw = trial.adamw};
    const Margin margin{.kind = trial.margin,
                        .m = trial.margin == "combined" ? 0.3 : margin_kind(trial.margin).m,
                        .m1 = 1.1,
                        .m3 = 0.2};
    const SoftmaxConfig config{
        .margin = margin,
        .class_filter = trial.filter,
        .logit_bytes = static_cast<std::uint64_t>(trial.at_once * kRows) * options.dtype().itemsize()};
    ClassCentres centres(trial.classes, trial.shards, 7, ranks_, torch::kCPU, trial.type, trial.rate);
    AloneCommunicator alone;
    const auto all_centres =
        ClassCentres(trial.classes, trial.shards, 7, alone, torch::kCPU, trial.type).weight();
    dense::Lasting lasting{.centres = all_centres,
                           .first = torch::zeros_like(all_centres),
                           .second = torch::zeros_like(all_centres),
                           .updates = torch::zeros({trial.classes}, options),
                           .statistics = torch::tensor({margin_kind(trial.margin).first_state[0],
                                                        margin_kind(trial.margin).first_state[1]},
                                                       torch::kFloat64)
                                             .to(trial.type)};
    GradientBuckets none({{"none", torch::zeros({1}).requires_grad_()}}, alone);
    Optimizer replicated(
        {.kind = trial.adamw ? "adamw" : "sgd", .weight_decay = head.weight_decay, .momentum = head.momentum},
        none);
    ClassOptimizer optimizer({}, replicated, centres.weight());
    MarginState state(margin, torch::kCPU, trial.type);
    ShardSoftmax by_shards(centres);
    const double count = static_cast<double>(kRows * trial.micro_batches);
    const auto rows = BatchPlan{.global_batch = kRows, .world = ranks_.size()}.rows_of_rank(0);
    std::int64_t first = 0;
    for (int r = 0; r < ranks_.rank(); ++r) first += rows[static_cast<std::size_t>(r)];
    const auto own = rows[static_cast<std::size_t>(ranks_.rank())];

    for (int step = 0; step < kSteps; ++step) {
      std::vector<torch::Tensor> embeddings, labels, draws, norms, cosines;
      for (int micro = 0; micro < trial.micro_batches; ++micro) {
        embeddings.push_back(torch::randn({kRows, 512}, options));
        labels.push_back(torch::randint(trial.classes, {kRows}, torch::kInt64));
        draws.push_back(torch::randn({kRows}, options));
        norms.push_back(embeddings.back().norm(2, 1));
        cosines.push_back(
            (dense::unit(embeddings.back()) * dense::unit(lasting.centres).index_select(0, labels.back()))
                .sum(1));
      }
      const auto of_step = torch::cat(labels);
      const std::vector<std::int64_t> numbers(of_step.data_ptr<std::int64_t>(),
                                              of_step.data_ptr<std::int64_t>() + of_step.numel());
      const auto active = torch::tensor(sample_classes({.classes = trial.classes,
                                                        .shards = trial.shards,
                                                        .first_shard = 0,
                                                        .own_shards = trial.shards,
                                                        .rate = trial.rate,
                                                        .seed = 7},
                                                       static_cast<std::uint64_t>(step), numbers)
                                            .rows,
                                        torch::kInt64);
      centres.begin(static_cast<std::uint64_t>(step), numbers);
      state.begin();
      auto of_centres = torch::zeros_like(lasting.centres);
      for (std::size_t micro = 0; micro < embeddings.size(); ++micro) {
        const auto want = dense::softmax(head, lasting, embeddings[micro], labels[micro], draws[micro],
                                         active, count, of_centres);
        const auto mine = [&](const torch::Tensor& all) { return all.narrow(0, first, own); };
        const bool drawn = margin_kind(trial.margin).draws;
        auto got = trial.exact
                       ? by_shards.loss(state, config, embeddings[micro], labels[micro],
                                        drawn ? draws[micro] : torch::Tensor(), count)
                       : margin_softmax(centres, state, config, mine(embeddings[micro]), mine(labels[micro]),
                                        drawn ? mine(draws[micro]) : torch::Tensor(), rows, count);
        auto loss = got.loss.to(torch::kFloat64).clone();
        if (!trial.exact) ranks_.all_reduce(loss, Reduce::Sum).wait();
        EXPECT_NEAR(loss.item<double>(), want.loss,
                    std::abs(want.loss) * (trial.exact ? 1e-6 : trial.tolerance()));
        EXPECT_EQ(got.correct.item<double>(), want.correct);
        EXPECT_LE(test::relative_distance(got.cotangent,
                                          trial.exact ? want.of_embeddings : mine(want.of_embeddings)),
                  step == 0 ? trial.tolerance() : trial.lasting_tolerance());
      }
      const auto range = centres.range();
      optimizer.step(head.learning_rate, {.rows = centres.active().rows, .values = centres.gradient()},
                     torch::zeros({}));
      state.end(torch::zeros({}));
      lasting.statistics = dense::moved(head, lasting.statistics, torch::cat(norms), torch::cat(cosines));
      dense::update(head, lasting, active, of_centres);
      EXPECT_LE(
          test::relative_distance(centres.weight(), lasting.centres.narrow(0, range.first, range.count)),
          trial.lasting_tolerance());
      if (state.any()) {
        EXPECT_LE(test::relative_distance(state.value(), lasting.statistics), trial.tolerance());
      }
    }
    compare_state(optimizer, lasting, centres, trial);
  }

  static void compare_state(ClassOptimizer& optimizer, const dense::Lasting& lasting, ClassCentres& centres,
                            const HeadTrial& trial) {
    Snapshot snapshot;
    const auto range = centres.range();
    const ClassTensor at{"centres", centres.weight(), range.first, centres.classes()};
    optimizer.add_to(snapshot, at);
    ASSERT_EQ(snapshot.by_class.size(), trial.adamw ? 3U : 1U);
    const auto own = [&](const torch::Tensor& all) { return all.narrow(0, range.first, range.count); };
    EXPECT_LE(test::relative_distance(snapshot.by_class[0].rows, own(lasting.first)),
              trial.lasting_tolerance());
    if (!trial.adamw) return;
    EXPECT_LE(test::relative_distance(snapshot.by_class[1].rows, own(lasting.second)),
              trial.lasting_tolerance());
    EXPECT_TRUE(torch::equal(snapshot.by_class[2].rows.flatten().to(torch::kFloat64),
                             own(lasting.updates).to(torch::kFloat64)));
  }
};

/// All combinations, in place of some of each value.
bool full() { return std::getenv("FACEMAE_FULL") != nullptr; }

TEST_F(HeadEqualsDense, ForNumbersOfClassesAndShardsAndRates) {
  int number = 0;
  for (const std::int64_t classes : {3, 37, 1000, 5000})
    for (const double rate : {1.0, 0.5, 0.1, 0.01, 0.0})
      for (const std::int64_t shards : {4, 7, 1024})
        if (full() || ++number % 3 == 0) compare({.classes = classes, .shards = shards, .rate = rate});
}

TEST_F(HeadEqualsDense, WithEveryMargin) {
  for (const auto& kind : margin_kinds())
    for (const auto filter : {std::optional<double>(), std::optional<double>(0.03)})
      for (const double rate : {1.0, 0.1})
        for (const int micro_batches : {1, 3})
          for (const std::int64_t at_once : {7, 1 << 20})
            if (full() || ((rate < 1) == (micro_batches == 3) && (rate < 1) == (at_once == 7)))
              compare({.rate = rate,
                       .margin = kind.name,
                       .filter = filter,
                       .micro_batches = micro_batches,
                       .at_once = at_once});
}

TEST_F(HeadEqualsDense, WithBothOptimizersInPiecesAndMicroBatches) {
  for (const bool adamw : {false, true})
    for (const int micro_batches : {1, 3})
      for (const std::int64_t at_once : {23, 1 << 20})
        for (const double rate : {1.0, 0.1, 0.0})
          compare({.classes = 300,
                   .rate = rate,
                   .micro_batches = micro_batches,
                   .at_once = at_once,
                   .adamw = adamw});
}

TEST_F(HeadEqualsDense, ByVirtualShards) {
  for (const std::string margin : {"arcface", "adaface", "magface", "curricularface", "elastic-cos"})
    for (const double rate : {1.0, 0.1})
      for (const std::int64_t at_once : {2, 1 << 20})
        compare({.rate = rate,
                 .margin = margin,
                 .filter = 0.03,
                 .micro_batches = 2,
                 .at_once = at_once,
                 .exact = true});
}

TEST_F(HeadEqualsDense, InFloat32) {
  for (const bool adamw : {false, true})
    for (const double rate : {1.0, 0.1})
      for (const std::int64_t classes : {37, 1000})
        compare({.classes = classes, .rate = rate, .adamw = adamw, .type = torch::kFloat32});
}

}  // namespace
}  // namespace facemae
