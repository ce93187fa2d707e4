#include "evaluation/embeddings/embedding_audit.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

using Rows = std::vector<std::int64_t>;

/// The first counter of Purpose::Audit: what is drawn. Others are of the audit of pictures.
constexpr std::uint64_t kPictures = 80, kControls = 81, kPhotos = 82;

/// `most` of `count` numbers, ascending.
Rows draw(std::int64_t count, std::int64_t most, std::uint64_t key) {
  Rows drawn(static_cast<std::size_t>(std::min(count, most)));
  if (count <= most) {
    std::iota(drawn.begin(), drawn.end(), 0);
    return drawn;
  }
  const Permutation place(static_cast<std::uint64_t>(count), key);
  for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = static_cast<std::int64_t>(place(i));
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

/// Means of rows by group (-1: of none), centred on the mean of all rows, and that mean.
struct Means {
  std::shared_ptr<const EmbeddingRows> of_groups;
  torch::Tensor of_all;  ///< [width] float32
};
Means means_of(const EmbeddingRows& rows, const Rows& group_of_row, std::int64_t groups) {
  const auto wide = torch::TensorOptions().dtype(torch::kFloat64);
  // One row more takes those of no group.
  auto sums = torch::zeros({groups + 1, rows.width()}, wide), counts = torch::zeros({groups + 1, 1}, wide);
  for (std::int64_t first = 0; first < rows.rows(); first += kGalleryBlock) {
    const std::int64_t count = std::min(kGalleryBlock, rows.rows() - first);
    auto groups_here =
        torch::tensor(Rows(group_of_row.begin() + first, group_of_row.begin() + first + count));
    groups_here = torch::where(groups_here.lt(0), groups, groups_here);
    sums.index_add_(0, groups_here, rows.block(first, count).to(torch::kFloat64));
    counts.index_add_(0, groups_here, torch::ones({count, 1}, wide));
  }
  const auto all = sums.sum(0) / static_cast<double>(std::max<std::int64_t>(rows.rows(), 1));
  const auto means = sums.narrow(0, 0, groups).div_(counts.narrow(0, 0, groups).clamp_min(1)).sub_(all);
  return {embeddings_of(means), all.to(torch::kFloat32)};
}

ProbeMates mates(std::span<const std::int64_t> rows) {
  return {.mates = {rows.begin(), rows.end()}, .left_out = {}};
}

/// The photos of everybody in a picture.
Rows photos_of_people_in(const ReleasePeople& people, std::int64_t picture) {
  Rows photos;
  for (const std::int64_t person : people.people_of_picture[picture]) {
    const auto of_person = people.photos_of_person[person];
    photos.insert(photos.end(), of_person.begin(), of_person.end());
  }
  std::sort(photos.begin(), photos.end());
  return photos;
}

std::function<torch::Tensor(std::int64_t, std::int64_t)> rows_named(std::shared_ptr<const EmbeddingRows> rows,
                                                                    Rows which) {
  return [rows = std::move(rows), which = std::move(which)](std::int64_t first, std::int64_t count) {
    return rows->pick(
        std::span(which).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
  };
}

std::int64_t first_or_nobody(std::span<const std::int64_t> people) {
  return people.empty() ? -1 : people.front();
}

/// Pictures against photos, and as a control one of the photos of each against the others of the person.
std::vector<EmbeddingStage> picture_stages(const std::shared_ptr<const EmbeddingRows>& real,
                                           const std::shared_ptr<const EmbeddingRows>& released,
                                           const ReleasePeople& people,
                                           const EmbeddingAuditOptions& options) {
  constexpr std::int64_t kMostControls = 2000;
  const Rows chosen =
      draw(released->rows(), options.max_probes, key_of(options.seed, Purpose::Audit, kPictures));
  const auto at = [](const Rows& rows, std::int64_t i) { return rows[static_cast<std::size_t>(i)]; };
  const bool single =
      people.photos_of_picture.numbers.size() == static_cast<std::size_t>(people.photos_of_picture.size());
  EmbeddingStage pictures{.what = "pictures against photos",
                          .probes = static_cast<std::int64_t>(chosen.size()),
                          .probe_rows = rows_named(released, chosen),
                          .gallery = real,
                          .asked = {},
                          .person = [&people, chosen, at](std::int64_t i) {
                            return first_or_nobody(people.people_of_picture[at(chosen, i)]);
                          }};
  if (single)
    pictures.asked.push_back({Level::OwnPicture, "", [&people, chosen, at](std::int64_t i) {
                                return mates(people.photos_of_picture[at(chosen, i)]);
                              }});
  pictures.asked.push_back({Level::PictureToPerson, "", [&people, chosen, at](std::int64_t i) {
                              return mates(photos_of_people_in(people, at(chosen, i)));
                            }});

  Rows originals;
  for (const std::int64_t picture : draw(released->rows(), std::min(options.max_probes, kMostControls),
                                         key_of(options.seed, Purpose::Audit, kControls)))
    originals.push_back(people.photos_of_picture[picture].front());
  EmbeddingStage control{.what = "real photos against the person's others",
                         .probes = static_cast<std::int64_t>(originals.size()),
                         .probe_rows = rows_named(real, originals),
                         .gallery = real,
                         .asked = {},
                         .person = [&people, originals, at](std::int64_t i) {
                           return people.person_of_photo[static_cast<std::size_t>(at(originals, i))];
                         }};
  control.asked.push_back(
      {Level::PictureToPerson, "real_other_photo", [&people, originals, at](std::int64_t i) {
         const std::int64_t photo = at(originals, i);
         const std::int64_t person = people.person_of_photo[static_cast<std::size_t>(photo)];
         ProbeMates found{.mates = {}, .left_out = {photo}};
         if (person >= 0)
           for (const std::int64_t other : people.photos_of_person[person])
             if (other != photo) found.mates.push_back(other);
         return found;
       }});
  return {std::move(pictures), std::move(control)};
}

/// Single photos and whole people against classes, and classes against people.
std::vector<EmbeddingStage> class_stages(const std::shared_ptr<const EmbeddingRows>& real,
                                         const EmbeddingRows& released, const ReleasePeople& people,
                                         const EmbeddingAuditOptions& options) {
  const Means classes = means_of(released, people.class_of_picture, people.classes);
  const Means persons = means_of(*real, people.person_of_photo, people.people);
  const auto block_of = [](const std::shared_ptr<const EmbeddingRows>& rows) {
    return [rows](std::int64_t first, std::int64_t count) { return rows->block(first, count); };
  };
  Rows of_released;  // photos of people who were released
  for (std::int64_t person = 0; person < people.people; ++person)
    if (!people.classes_of_person[person].empty())
      for (const std::int64_t photo : people.photos_of_person[person]) of_released.push_back(photo);
  std::sort(of_released.begin(), of_released.end());
  Rows photos;
  for (const std::int64_t i : draw(static_cast<std::int64_t>(of_released.size()), options.max_probes,
                                   key_of(options.seed, Purpose::Audit, kPhotos)))
    photos.push_back(of_released[static_cast<std::size_t>(i)]);
  const auto person_of = [&people, photos](std::int64_t i) {
    return people.person_of_photo[static_cast<std::size_t>(photos[static_cast<std::size_t>(i)])];
  };
  EmbeddingStage photo{
      .what = "photos against classes",
      .probes = static_cast<std::int64_t>(photos.size()),
      .probe_rows =
          [named = rows_named(real, photos), mean = persons.of_all](std::int64_t first, std::int64_t count) {
            const auto rows = named(first, count) - mean;
            return rows / rows.norm(2, 1, true).clamp_min(1e-6);
          },
      .gallery = classes.of_groups,
      .asked = {},
      .person = person_of};
  photo.asked.push_back({Level::PhotoToClass, "", [&people, person_of](std::int64_t i) {
                           return mates(people.classes_of_person[person_of(i)]);
                         }});
  EmbeddingStage person{.what = "people against classes",
                        .probes = people.people,
                        .probe_rows = block_of(persons.of_groups),
                        .gallery = classes.of_groups,
                        .asked = {},
                        .person = [](std::int64_t i) { return i; }};
  person.asked.push_back(
      {Level::PersonToClass, "", [&people](std::int64_t i) { return mates(people.classes_of_person[i]); }});
  EmbeddingStage of_class{
      .what = "classes against people",
      .probes = people.classes,
      .probe_rows = block_of(classes.of_groups),
      .gallery = persons.of_groups,
      .asked = {},
      .person = [&people](std::int64_t i) { return first_or_nobody(people.people_of_class[i]); }};
  of_class.asked.push_back(
      {Level::ClassToPerson, "", [&people](std::int64_t i) { return mates(people.people_of_class[i]); }});
  return {std::move(photo), std::move(person), std::move(of_class)};
}

}  // namespace

std::vector<EmbeddingStage> embedding_stages(const std::shared_ptr<const EmbeddingRows>& real,
                                             const std::shared_ptr<const EmbeddingRows>& released,
                                             const ReleasePeople& people,
                                             const EmbeddingAuditOptions& options) {
  if (real->width() != released->width())
    throw ConfigError(fmt::format(
        "embeddings of real photos have {} values, those of released pictures {}: both must come from one embedder",
        real->width(), released->width()));
  const auto expect = [](const char* what, std::int64_t rows, std::size_t images) {
    if (rows != static_cast<std::int64_t>(images))
      throw ConfigError(fmt::format(
          "the store of {} has {} images, their embeddings have {} rows: one is needed for each image, in the order of the store",
          what, images, rows));
  };
  expect("real photos", real->rows(), people.person_of_photo.size());
  expect("released pictures", released->rows(), people.class_of_picture.size());
  auto stages = picture_stages(real, released, people, options);
  for (auto& stage : class_stages(real, *released, people, options)) stages.push_back(std::move(stage));
  for (auto& stage : stages)
    stage.with = [&people](std::int64_t person) {
      const auto classes = people.classes_of_person[person];
      return classes.empty() ? person : people.people_of_class[classes.front()].front();
    };
  return stages;
}

std::vector<std::vector<Standing>> stand_in(const EmbeddingStage& stage, std::int64_t first,
                                            std::int64_t last, const std::function<void(std::int64_t)>& see) {
  std::vector<std::vector<ProbeMates>> questions;
  for (const auto& asked : stage.asked) {
    questions.emplace_back();
    for (std::int64_t i = first; i < last; ++i) questions.back().push_back(asked.mates(i));
  }
  return stream_ranks(stage.probe_rows(first, last - first), *stage.gallery, questions, see);
}

std::vector<Measurement> measurements_of(const EmbeddingStage& stage,
                                         const std::vector<std::vector<Standing>>& standings,
                                         const std::string& attacker, std::int64_t people_per_class) {
  std::vector<Measurement> all;
  for (std::size_t q = 0; q < stage.asked.size(); ++q) {
    Measurement found{.attack = "A0",
                      .attacker = attacker,
                      .level = stage.asked[q].level,
                      .control = stage.asked[q].control,
                      .people_per_class = stage.asked[q].control.empty() ? people_per_class : 1};
    std::map<std::int64_t, Tally> tallies;
    double chance = 0, tried = 0;
    for (std::size_t i = 0; i < standings[q].size(); ++i) {
      const Standing& standing = standings[q][i];
      const std::int64_t person = stage.person(static_cast<std::int64_t>(i));
      if (standing.mates == 0 || person < 0) continue;
      Tally& tally =
          tallies.try_emplace(person, Tally{.person = person, .with = stage.with(person)}).first->second;
      tally.hits += standing.hit_at(1);
      ++tally.trials;
      ++tried;
      chance += static_cast<double>(standing.mates) / static_cast<double>(standing.mates + standing.others);
    }
    found.chance = tried > 0 ? chance / tried : 0;
    for (const auto& [unused, tally] : tallies) found.tallies.push_back(tally);
    found.found = interval_by_person(found.tallies);
    all.push_back(std::move(found));
  }
  return all;
}

}  // namespace facemae
