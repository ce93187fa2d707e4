#pragma once
// Trains a U-Net to turn a released picture back into a photo that it was made of.
#include <torch/types.h>

#include <memory>
#include <string>

#include "model/attacks/unet.h"
#include "trainer/attacks/lesson_pairs.h"
#include "trainer/config/run_config.h"
#include "trainer/step/precision.h"
#include "trainer/step/task.h"

namespace facemae {

class InversionTask final : public Task {
 public:
  /// Faces come as pictures of the lesson with their rows as labels. Of a blend, the target is one of its photos, drawn
  /// anew for each step. `lesson` must outlive this.
  InversionTask(std::shared_ptr<UNet> network, const Lesson& lesson, const RunConfig& config,
                Precision precision, torch::Device device);

  std::vector<Parameter> parameters() override;
  void begin(std::uint64_t step) override;
  Pass forward(const Faces& faces) override;
  std::vector<Metric> metrics() override;
  void state(Snapshot& snapshot) override;
  std::string kind() const override { return "inversion"; }

 private:
  std::shared_ptr<UNet> network_;
  const Lesson& lesson_;
  LessonPairs pairs_;
  std::uint64_t seed_;
  double global_batch_;
  Precision precision_;
  torch::Device device_;
  torch::Tensor loss_;  ///< figure of the step
};

}  // namespace facemae
