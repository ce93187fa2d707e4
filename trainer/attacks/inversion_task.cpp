#include "trainer/attacks/inversion_task.h"

#include <torch/torch.h>

#include "model/attacks/losses.h"
#include "model/common/state.h"
#include "trainer/attacks/picture_batch.h"
#include "trainer/config/decay.h"

namespace facemae {

InversionTask::InversionTask(std::shared_ptr<UNet> network, const Lesson& lesson, const RunConfig& config,
                             Precision precision, torch::Device device)
    : network_(std::move(network)),
      lesson_(lesson),
      pairs_(lesson, Right::Photo),
      seed_(config.seed),
      global_batch_(static_cast<double>(config.batch)),
      precision_(precision),
      device_(device) {
  prepare(precision_);
}

std::vector<Parameter> InversionTask::parameters() { return trained_parameters(*network_, Decay::Matrices); }

void InversionTask::begin(std::uint64_t) { loss_ = torch::zeros({}, torch::TensorOptions().device(device_)); }

Pass InversionTask::forward(const Faces& faces) {
  const auto pictures = faces.labels.to(torch::kCPU);
  std::vector<std::int64_t> photos;
  for (std::size_t i = 0; i < faces.ordinals.size(); ++i)
    photos.push_back(pairs_.photo_of(pictures[static_cast<std::int64_t>(i)].item<std::int64_t>(),
                                     lesson_key(seed_, LessonDraw::Photo, faces.ordinals[i])));
  const auto wanted = mirrored(picture_batch(lesson_.real.photos, photos, 0, device_), faces.ordinals, seed_);
  torch::Tensor inverted;
  {
    const Autocast reduced(precision_, device_);
    inverted = network_->forward(faces.images);
  }
  Pass pass{.loss = inversion_loss(inverted, wanted) / global_batch_};
  loss_ += pass.loss.detach();
  return pass;
}

std::vector<Metric> InversionTask::metrics() { return {{"loss", loss_}}; }

void InversionTask::state(Snapshot& snapshot) {
  for (const auto& [name, tensor] : state_of(*network_))
    snapshot.replicated.push_back({"model." + name, tensor});
}

}  // namespace facemae
