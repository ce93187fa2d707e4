#include "trainer/attacks/linker_task.h"

#include <torch/torch.h>

#include <array>

#include "core/random/keys.h"
#include "model/attacks/losses.h"
#include "model/common/state.h"
#include "trainer/attacks/picture_batch.h"
#include "trainer/config/decay.h"

namespace facemae {
namespace {

constexpr double kTemperature = 0.07;
constexpr std::uint64_t kPhotoSeed = 1;

using NamedTower = std::pair<std::string, std::shared_ptr<Tower>>;
std::array<NamedTower, 2> named_towers(const Towers& towers) {
  return {NamedTower{"released.", towers.released}, NamedTower{"photos.", towers.photos}};
}

}  // namespace

Towers::Towers(const TowerConfig& config)
    : released(std::make_shared<Tower>(config)), photos(std::make_shared<Tower>(config)) {}

void Towers::initialise(std::uint64_t seed) {
  released->initialise(seed);
  photos->initialise(key_of(seed, Purpose::Init, kPhotoSeed));
}

void Towers::to(torch::Device device) {
  released->to(device);
  photos->to(device);
}

LinkerTask::LinkerTask(Towers towers, const Lesson& lesson, Right right, const RunConfig& config, Parts parts,
                       Precision precision, torch::Device device)
    : towers_(std::move(towers)),
      lesson_(lesson),
      pairs_(lesson, right),
      right_(pairs_.right()),
      names_(pairs_.names()),
      seed_(config.seed),
      global_batch_(static_cast<double>(config.batch)),
      parts_(std::move(parts)),
      precision_(precision),
      device_(device) {
  prepare(precision_);
}

std::vector<Parameter> LinkerTask::parameters() {
  std::vector<Parameter> trained;
  for (const auto& [prefix, tower] : named_towers(towers_))
    for (auto& parameter : trained_parameters(*tower, Decay::Matrices, prefix))
      trained.push_back(std::move(parameter));
  return trained;
}

void LinkerTask::begin(std::uint64_t) {
  loss_ = torch::zeros({}, torch::TensorOptions().device(device_));
  found_ = torch::zeros_like(loss_);
}

Pass LinkerTask::forward(const Faces& faces) {
  const auto pictures = faces.labels.to(torch::kCPU);
  std::vector<std::int64_t> photos;
  for (std::size_t i = 0; i < faces.ordinals.size(); ++i)
    photos.push_back(pairs_.photo_of(pictures[static_cast<std::int64_t>(i)].item<std::int64_t>(),
                                     lesson_key(seed_, LessonDraw::Photo, faces.ordinals[i])));
  const auto shown = mirrored(picture_batch(lesson_.real.photos, photos, 0, device_), faces.ordinals, seed_);
  Pass pass;
  {
    const Autocast reduced(precision_, device_);
    pass.rows = torch::cat(
        {towers_.released->forward(
             recoloured(faces.images, faces.ordinals, seed_, LessonDraw::ReleasedColours)),
         towers_.photos->forward(recoloured(shown, faces.ordinals, seed_, LessonDraw::PhotoColours))},
        1);
  }
  pass.reference = torch::cat({names_.index_select(0, torch::tensor(photos, torch::kInt64)).unsqueeze(1),
                               right_.index_select(0, pictures)},
                              1)
                       .to(device_);
  return pass;
}

Coupled LinkerTask::couple(const Group& group) {
  static constexpr std::array compared = {&Pass::rows, &Pass::reference};
  Coupling faces(parts_, group, compared);
  const auto rows = faces.rows(&Pass::rows).requires_grad_(true);
  const auto both = rows.chunk(2, 1);
  const auto known = faces.rows(&Pass::reference);
  const auto contrast =
      contrast_share(both[0], both[1], known.narrow(1, 1, known.size(1) - 1).contiguous(),
                     known.select(1, 0).contiguous(), kTemperature, faces.ranks(), faces.rows_of_rank());
  const double part = static_cast<double>(faces.total()) / global_batch_;
  const auto loss = part * contrast.loss;
  loss_ += loss.detach();
  found_ += part * contrast.found;
  return {.wanted = faces.spread(torch::autograd::grad({loss}, {rows}).front()), .loss = loss.detach()};
}

std::vector<Metric> LinkerTask::metrics() {
  return {{"loss", parts_.share_of_coupled(loss_)}, {"found", parts_.share_of_coupled(found_)}};
}

void LinkerTask::state(Snapshot& snapshot) {
  for (const auto& [prefix, tower] : named_towers(towers_))
    for (const auto& [name, tensor] : state_of(*tower))
      snapshot.replicated.push_back({"model." + prefix + name, tensor});
}

}  // namespace facemae
