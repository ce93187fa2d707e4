// What takes long: every margin in every precision, and the relations in bfloat16.
#include <torch/torch.h>

#include "model/softmax/margins.h"
#include "tests/rehearsal/tasks.h"
#include "tests/relative.h"

namespace facemae::rehearsal {
namespace {

TEST_F(Tasks, EveryRelationTrainsAsOnCpusInBfloat16) {
  if (computes(Precision::BFloat16)) expect_relations_as_on_cpus(Precision::BFloat16);
}

TEST_F(Tasks, EveryMarginTrainsAsOnCpusOverAllClassesOrSome) {
  for (const auto& margin : margin_kinds())
    for (const Precision precision : {Precision::Float32, Precision::BFloat16}) {
      if (!computes(precision)) continue;
      SCOPED_TRACE(std::string(margin.name) + ", " + std::to_string(int(precision)));
      const Trial trial{.recognition = true,
                        .global_batch = 8,
                        .micro_batches = 2,
                        .sample_rate = precision == Precision::Float32 ? 0.3 : 1};
      RecognizeConfig config = trials::recognize_config_of(trial);
      config.margin = margin.name;
      const auto train_on = [&](World& world) {
        const auto task =
            trials::make_task(config, Parts::of_ranks(world.batch()), 11, 5, world.device(), precision);
        return train(trial, *task, world.batch());
      };
      const auto found = train_on(*there), wanted = train_on(*here);
      if (trial.sample_rate == 1) expect_equal(found, wanted);
      // Sampled rows are moved by a pass of our own on CPUs, and by LibTorch's operations elsewhere.
      for (const auto& [name, value] : wanted)
        EXPECT_LE(test::relative_distance(found.at(name), value), 1e-5) << name;
    }
}

}  // namespace
}  // namespace facemae::rehearsal
