#include "trainer/release/class_audit.h"

#include <torch/torch.h>

#include <algorithm>
#include <functional>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/linkage/features.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

class FixedPixels final : public Attacker {
 public:
  using Features = std::function<torch::Tensor(const torch::Tensor&)>;
  FixedPixels(std::string name, Features features) : name_(std::move(name)), features_(std::move(features)) {}
  AttackerFacts facts() const override {
    return {.id = "A0", .name = name_, .knows = "The photos.", .controls = "Nothing.", .cost = "Seconds."};
  }
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override {
    return {.released = features_(released.pictures), .real = features_(real.photos), .by_person = {}};
  }

 private:
  std::string name_;
  Features features_;
};

/// [groups, D]: mean of the rows of each, less the mean of all rows, of norm 1.
torch::Tensor centred_means(const torch::Tensor& rows, const std::vector<std::int64_t>& group,
                            std::int64_t groups) {
  const auto index = torch::tensor(group, torch::kInt64);
  const auto sums = torch::zeros({groups, rows.size(1)}).index_add_(0, index, rows);
  const auto counts =
      torch::zeros({groups}).index_add_(0, index, torch::ones({rows.size(0)})).clamp_min_(1).unsqueeze(1);
  const auto means = sums / counts - rows.mean(0, true);
  return means / means.norm(2, 1, true).clamp_min(1e-6);
}

std::vector<std::int64_t> numbers_of(const torch::Tensor& index) {
  const auto whole = index.to(torch::kInt64).contiguous();
  return {whole.data_ptr<std::int64_t>(), whole.data_ptr<std::int64_t>() + whole.numel()};
}

/// guesses[i] is a person and cls[i] the class in which he is looked for.
Measurement counted(const AttackerFacts& facts, Level level, const std::vector<std::int64_t>& guesses,
                    const std::vector<std::int64_t>& cls, const FaceLinks& links, double chance) {
  Measurement found{.attack = facts.id, .attacker = facts.name, .level = level, .chance = chance};
  found.people_per_class = static_cast<std::int64_t>(links.people_of_class.front().size());
  std::vector<double> hits(links.people_of_class.size()), trials(hits.size());
  std::vector<std::int64_t> classes(hits.size());
  for (std::size_t i = 0; i < guesses.size(); ++i) {
    const auto at = static_cast<std::size_t>(cls[i]);
    const auto& people = links.people_of_class[at];
    trials[at] += 1;
    hits[at] += std::find(people.begin(), people.end(), guesses[i]) != people.end() ? 1 : 0;
  }
  for (std::size_t at = 0; at < hits.size(); ++at) {
    classes[at] = static_cast<std::int64_t>(at);
    found.tallies.push_back({.person = classes[at], .hits = hits[at], .trials = trials[at]});
  }
  found.found = interval_by_person(hits, trials, classes);
  return found;
}

}  // namespace

std::vector<std::unique_ptr<Attacker>> fixed_pixel_attackers() {
  std::vector<std::unique_ptr<Attacker>> all;
  for (const std::int64_t side : {28, 14, 7})
    all.push_back(std::make_unique<FixedPixels>(
        fmt::format("pixel {0}x{0}", side),
        [side](const torch::Tensor& images) { return pixel_features(images, side); }));
  all.push_back(std::make_unique<FixedPixels>("DCT 16x16", [](const torch::Tensor& images) {
    return dct_features(images, std::min<std::int64_t>(16, images.size(2)));
  }));
  return all;
}

std::vector<Measurement> look_for_people(const std::vector<std::unique_ptr<Attacker>>& attackers,
                                         const ReleasedFaces& released, const RealFaces& real,
                                         const FaceLinks& links) {
  if (released.classes.empty() || real.people.empty())
    throw ConfigError("looking for people in a release needs pictures and photos");
  const torch::NoGradGuard no_gradients;
  std::vector<std::int64_t> photos_of(static_cast<std::size_t>(real.people_count)), all_classes;
  for (const std::int64_t person : real.people) ++photos_of[static_cast<std::size_t>(person)];
  for (std::int64_t c = 0; c < released.class_count; ++c) all_classes.push_back(c);
  double photos = 0;  // of the right people, on average
  for (const std::int64_t c : released.classes)
    for (const std::int64_t person : links.people_of_class[static_cast<std::size_t>(c)])
      photos += static_cast<double>(photos_of[static_cast<std::size_t>(person)]);
  const double picture_chance =
      photos / static_cast<double>(released.classes.size()) / static_cast<double>(real.people.size());
  const double class_chance =
      static_cast<double>(links.people_of_class.front().size()) / static_cast<double>(real.people_count);
  const auto people = torch::tensor(real.people, torch::kInt64);

  std::vector<Measurement> found;
  for (const auto& attacker : attackers) {
    const Evidence evidence = attacker->look(released, real);
    torch::Tensor of_pictures, of_classes;
    double chance = picture_chance;
    if (evidence.by_person.defined()) {
      of_pictures = evidence.by_person.argmax(1);
      of_classes = torch::zeros({released.class_count, real.people_count})
                       .index_add_(0, torch::tensor(released.classes, torch::kInt64), evidence.by_person)
                       .argmax(1);
      chance = class_chance;
    } else {
      of_pictures = people.index_select(0, torch::matmul(evidence.released, evidence.real.t()).argmax(1));
      of_classes = torch::matmul(centred_means(evidence.released, released.classes, released.class_count),
                                 centred_means(evidence.real, real.people, real.people_count).t())
                       .argmax(1);
    }
    found.push_back(counted(attacker->facts(), Level::PictureToPerson, numbers_of(of_pictures),
                            released.classes, links, chance));
    found.push_back(counted(attacker->facts(), Level::ClassToPerson, numbers_of(of_classes), all_classes,
                            links, class_chance));
  }
  return found;
}

const Measurement& worst_of(const std::vector<Measurement>& measurements, Level level) {
  const Measurement* worst = nullptr;
  for (const Measurement& one : measurements)
    if (one.level == level && (worst == nullptr || one.found.value > worst->found.value)) worst = &one;
  if (worst == nullptr) throw Error(fmt::format("no attack was measured at the level {}", name_of(level)));
  return *worst;
}

}  // namespace facemae
