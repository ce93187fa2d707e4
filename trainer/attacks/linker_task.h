#pragma once
// Trains the two towers of a linker: a released picture is to find its photo among those of the global batch.
#include <torch/types.h>

#include <memory>
#include <string>

#include "model/attacks/tower.h"
#include "trainer/attacks/lesson_pairs.h"
#include "trainer/config/run_config.h"
#include "trainer/step/precision.h"
#include "trainer/step/task.h"

namespace facemae {

/// Two networks, since a released picture and a photo are different things.
struct Towers {
  explicit Towers(const TowerConfig& config);
  void initialise(std::uint64_t seed);
  void to(torch::Device device);
  std::shared_ptr<Tower> released, photos;
};

class LinkerTask final : public Task {
 public:
  /// Faces come as pictures of the lesson with their rows as labels. `lesson` must outlive this.
  LinkerTask(Towers towers, const Lesson& lesson, Right right, const RunConfig& config, Parts parts,
             Precision precision, torch::Device device);

  std::vector<Parameter> parameters() override;
  void begin(std::uint64_t step) override;
  Pass forward(const Faces& faces) override;
  Coupled couple(const Group& group) override;
  std::vector<Metric> metrics() override;
  void state(Snapshot& snapshot) override;
  std::string kind() const override { return "two-tower linker"; }

 private:
  Towers towers_;
  const Lesson& lesson_;
  LessonPairs pairs_;
  torch::Tensor right_, names_;  ///< [P, K], [N] int64
  std::uint64_t seed_;
  double global_batch_;
  Parts parts_;
  Precision precision_;
  torch::Device device_;
  torch::Tensor loss_, found_;  ///< figures of the step
};

}  // namespace facemae
