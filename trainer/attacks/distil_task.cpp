#include "trainer/attacks/distil_task.h"

#include <torch/torch.h>

#include "model/attacks/losses.h"
#include "model/common/state.h"
#include "model/common/unit_rows.h"
#include "trainer/attacks/picture_batch.h"
#include "trainer/config/decay.h"

namespace facemae {
namespace {

/// [P, D]: of each picture, the direction of the mean over its photos.
torch::Tensor targets_of(const torch::Tensor& of_photos, const FaceLinks& links) {
  std::vector<torch::Tensor> targets;
  for (const auto& photos : links.photos_of_picture)
    targets.push_back(of_photos.index_select(0, torch::tensor(photos, torch::kInt64)).mean(0));
  return unit_rows(torch::stack(targets));
}

}  // namespace

DistilTask::DistilTask(std::shared_ptr<RecognitionNetwork> student, const torch::Tensor& of_photos,
                       const Lesson& lesson, const RunConfig& config, Parts parts, Precision precision,
                       torch::Device device)
    : student_(std::move(student)),
      pairs_(lesson, Right::Photo),
      of_photos_(of_photos.to(device)),
      of_pictures_(targets_of(of_photos, lesson.links).to(device)),
      seed_(config.seed),
      global_batch_(static_cast<double>(config.batch)),
      parts_(std::move(parts)),
      precision_(precision),
      device_(device),
      statistics_(*student_, parts_, config.batch, /*frozen=*/false) {
  prepare(precision_);
  student_->train();
}

std::vector<Parameter> DistilTask::parameters() { return trained_parameters(*student_, Decay::Matrices); }

void DistilTask::begin(std::uint64_t) {
  statistics_.begin();
  loss_ = torch::zeros({}, torch::TensorOptions().device(device_));
  cosine_ = torch::zeros_like(loss_);
}

Pass DistilTask::forward(const Faces& faces) {
  const auto pictures = faces.labels.to(torch::kCPU);
  std::vector<std::int64_t> others;
  for (std::size_t i = 0; i < faces.ordinals.size(); ++i)
    others.push_back(pairs_.other_photo(pictures[static_cast<std::int64_t>(i)].item<std::int64_t>(),
                                        lesson_key(seed_, LessonDraw::Photo, faces.ordinals[i])));
  statistics_.before_part();
  torch::Tensor said;
  {
    const Autocast reduced(precision_, device_);
    said = student_->forward(faces.images);
  }
  statistics_.after_part(faces.part, faces.images.size(0));
  said = unit_rows(said.to(torch::kFloat32));
  const auto target = of_pictures_.index_select(0, faces.labels);
  const auto other = of_photos_.index_select(0, torch::tensor(others, torch::kInt64).to(device_));
  Pass pass{.loss = distillation_loss(said, target, other) / global_batch_};
  loss_ += pass.loss.detach();
  cosine_ += (said.detach() * target).sum() / global_batch_;
  return pass;
}

std::vector<Metric> DistilTask::metrics() { return {{"loss", loss_}, {"cosine", cosine_}}; }

void DistilTask::state(Snapshot& snapshot) {
  for (const auto& [name, tensor] : state_of(*student_))
    snapshot.replicated.push_back({"model." + name, tensor});
}

}  // namespace facemae
