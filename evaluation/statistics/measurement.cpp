#include "evaluation/statistics/measurement.h"

#include <unordered_set>

#include "core/kinds.h"

namespace facemae {
namespace {

constexpr Named<Level> kLevels[] = {
    {"own_picture", Level::OwnPicture},        {"picture_to_person", Level::PictureToPerson},
    {"photo_to_class", Level::PhotoToClass},   {"person_to_class", Level::PersonToClass},
    {"class_to_person", Level::ClassToPerson}, {"membership", Level::Membership},
};

}  // namespace

const char* name_of(Level level) {
  for (const auto& row : kLevels)
    if (row.value == level) return row.name;
  return "";
}

Level level_from(const std::string& name) {
  return row_of(kLevels, name, "reading the level of an attack").value;
}

std::int64_t people_of(const Measurement& measurement) {
  std::unordered_set<std::int64_t> people;
  for (const Tally& tally : measurement.tallies)
    if (tally.trials > 0) people.insert(tally.person);
  return static_cast<std::int64_t>(people.size());
}

Figure naming_odds(const Measurement& measurement) {
  const auto people = static_cast<double>(measurement.people_per_class);
  return {measurement.found.value / people, measurement.found.low / people, measurement.found.high / people};
}

}  // namespace facemae
