#pragma once
// Trains a student to say of a released picture what a fixed teacher says of the photo that it was made of.
#include <torch/types.h>

#include <memory>
#include <string>

#include "model/recognition/recognition.h"
#include "trainer/attacks/lesson_pairs.h"
#include "trainer/config/run_config.h"
#include "trainer/step/precision.h"
#include "trainer/step/task.h"
#include "trainer/tasks/running_statistics.h"

namespace facemae {

class DistilTask final : public Task {
 public:
  /// `of_photos` [N, D]: what the teacher says of the lesson's photos, unit rows. Of a blend, the target is the mean
  /// over its photos. Faces come as pictures of the lesson with their rows as labels. `lesson` must outlive this.
  DistilTask(std::shared_ptr<RecognitionNetwork> student, const torch::Tensor& of_photos,
             const Lesson& lesson, const RunConfig& config, Parts parts, Precision precision,
             torch::Device device);

  std::vector<Parameter> parameters() override;
  void begin(std::uint64_t step) override;
  Pass forward(const Faces& faces) override;
  void end(const torch::Tensor& skipped) override { statistics_.end(skipped); }
  std::vector<Metric> metrics() override;
  void state(Snapshot& snapshot) override;
  std::string kind() const override { return "distilled embedder"; }

 private:
  std::shared_ptr<RecognitionNetwork> student_;
  LessonPairs pairs_;
  torch::Tensor of_photos_, of_pictures_;  ///< [N, D], [P, D]: targets
  std::uint64_t seed_;
  double global_batch_;
  Parts parts_;
  Precision precision_;
  torch::Device device_;
  RunningStatistics statistics_;
  torch::Tensor loss_, cosine_;  ///< figures of the step
};

}  // namespace facemae
