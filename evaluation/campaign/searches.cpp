#include "evaluation/campaign/searches.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace facemae {
namespace {

constexpr std::int64_t kProductFloats = 8 << 20;

torch::Tensor numbers(const std::vector<std::int64_t>& list) { return torch::tensor(list, torch::kInt64); }

/// Means (or sums) of rows by group: [rows, D] -> [groups, D]; a group without rows is 0.
torch::Tensor by_group(const torch::Tensor& rows, const torch::Tensor& group, std::int64_t groups,
                       bool mean) {
  auto sums = torch::zeros({groups, rows.size(1)}).index_add_(0, group, rows);
  if (mean) sums /= torch::bincount(group, {}, groups).clamp_min(1).to(torch::kFloat32).unsqueeze(1);
  return sums;
}

torch::Tensor unit(const torch::Tensor& rows) { return rows / rows.norm(2, 1, true).clamp_min(1e-9); }

/// The best score of each picture among a person's photos [P, people], and of each photo among a class's pictures
/// [N, classes].
struct Nearest {
  torch::Tensor picture_person, photo_class;
};

Nearest nearest(const Evidence& evidence, const Target& target) {
  const std::int64_t count = evidence.released.size(0), photos = evidence.real.size(0);
  const std::int64_t people = target.real.people_count, classes = target.released.class_count;
  const std::int64_t block = std::clamp<std::int64_t>(kProductFloats / photos, 1, count);
  constexpr float none = -1;  // no score of unit rows is lower
  Nearest best{torch::full({count, people}, none), torch::full({photos, classes}, none)};
  float* picture_person = best.picture_person.data_ptr<float>();
  float* photo_class = best.photo_class.data_ptr<float>();
  const auto gallery = evidence.real.t();
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const std::int64_t rows = std::min(block, count - begin);
    const auto product =
        torch::matmul(evidence.released.narrow(0, begin, rows), gallery).contiguous();  // [b, N]
    const float* score = product.const_data_ptr<float>();
    for (std::int64_t i = begin; i < begin + rows; ++i) {
      const std::int64_t c = target.released.classes[static_cast<std::size_t>(i)];
      for (std::int64_t j = 0; j < photos; ++j, ++score) {
        float& of_person = picture_person[i * people + target.real.people[static_cast<std::size_t>(j)]];
        float& of_class = photo_class[j * classes + c];
        of_person = std::max(of_person, *score);
        of_class = std::max(of_class, *score);
      }
    }
  }
  return best;
}

/// Who is right, for each kind of probe and of candidate.
struct Truth {
  std::vector<std::vector<std::int64_t>> people_of_picture, classes_of_photo, classes_of_person;
  std::vector<std::int64_t> person_of_picture, person_of_class, everybody;

  explicit Truth(const Target& target) : classes_of_person(classes_of_people(target)) {
    for (const auto& people : target.links.people_of_class)
      person_of_class.push_back(people.empty() ? 0 : people.front());
    for (std::size_t i = 0; i < target.released.classes.size(); ++i) {
      std::set<std::int64_t> people;
      for (const std::int64_t photo : target.links.photos_of_picture[i])
        people.insert(target.real.people[static_cast<std::size_t>(photo)]);
      people_of_picture.emplace_back(people.begin(), people.end());
      person_of_picture.push_back(person_of_class[static_cast<std::size_t>(target.released.classes[i])]);
    }
    for (const std::int64_t person : target.real.people)
      classes_of_photo.push_back(classes_of_person[static_cast<std::size_t>(person)]);
    for (std::int64_t p = 0; p < target.real.people_count; ++p) everybody.push_back(p);
  }
};

}  // namespace

std::vector<Search> searches_of(const Evidence& evidence, const Target& target) {
  const torch::NoGradGuard no_gradients;
  const Truth truth(target);
  const auto classes = numbers(target.released.classes), people = numbers(target.real.people);
  const std::int64_t class_count = target.released.class_count, people_count = target.real.people_count;
  std::vector<Search> searches;
  const auto add_pictures = [&](const std::string& way, const torch::Tensor& scores) {
    searches.push_back(
        {Level::PictureToPerson, way, scores, truth.people_of_picture, truth.person_of_picture});
  };
  const auto add_photos = [&](const std::string& way, const torch::Tensor& scores) {
    searches.push_back({Level::PhotoToClass, way, scores, truth.classes_of_photo, target.real.people});
  };
  const auto add_classes = [&](const std::string& way, const torch::Tensor& person_class,
                               const torch::Tensor& class_person) {
    searches.push_back({Level::PersonToClass, way, person_class, truth.classes_of_person, truth.everybody});
    searches.push_back(
        {Level::ClassToPerson, way, class_person, target.links.people_of_class, truth.person_of_class});
  };
  if (evidence.by_person.defined()) {
    const auto sums = by_group(evidence.by_person, classes, class_count, false);
    add_pictures("", evidence.by_person);
    add_classes("sums", sums.t().contiguous(), sums);
    return searches;
  }
  const Nearest best = nearest(evidence, target);
  add_pictures("nearest", best.picture_person);
  add_photos("nearest", best.photo_class);
  add_classes("nearest", by_group(best.photo_class, people, people_count, true),
              by_group(best.picture_person, classes, class_count, true));
  const auto pictures = evidence.released - evidence.released.mean(0),
             photos = evidence.real - evidence.real.mean(0);
  const auto of_class = unit(by_group(pictures, classes, class_count, true));
  const auto of_person = unit(by_group(photos, people, people_count, true));
  add_pictures("means", torch::matmul(unit(pictures), of_person.t()));
  add_photos("means", torch::matmul(unit(photos), of_class.t()));
  const auto class_person = torch::matmul(of_class, of_person.t());
  add_classes("means", class_person.t().contiguous(), class_person);
  return searches;
}

Standing standing_of(const torch::Tensor& scores, const std::vector<std::int64_t>& right) {
  Standing standing;
  if (right.empty()) return standing;
  const float* all = scores.const_data_ptr<float>();
  float best = -std::numeric_limits<float>::infinity();
  for (const std::int64_t mate : right) best = std::max(best, all[mate]);
  const float tie = std::max(1e-6f, 1e-5f * (std::abs(best) - 1));  // rounding of unit rows; of large sums
  for (std::int64_t j = 0; j < scores.size(0); ++j) {
    standing.better += all[j] > best + tie ? 1 : 0;
    standing.tied_others += std::abs(all[j] - best) <= tie ? 1 : 0;
  }
  standing.mates = static_cast<std::int64_t>(right.size());
  standing.others = scores.size(0) - standing.mates;
  for (const std::int64_t mate : right) standing.tied_mates += std::abs(all[mate] - best) <= tie ? 1 : 0;
  standing.tied_others -= standing.tied_mates;
  return standing;
}

}  // namespace facemae
