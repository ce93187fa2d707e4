#include "trainer/insiders/attributes.h"

#include <torch/torch.h>

#include <charconv>
#include <limits>
#include <unordered_map>

#include "core/error.h"
#include "core/files/table_row.h"
#include "core/log.h"
#include "data/store/manifest.h"
#include "data/synth/synth_attributes.h"
#include "evaluation/linkage/linkage.h"

namespace facemae {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double attribute_number(const std::string& field, const std::string& attribute, const std::string& place) {
  if (field.empty()) return kUnknown;
  if (field == "yes") return 1;
  if (field == "no") return 0;
  double value = 0;
  const auto [end, code] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (code != std::errc() || end != field.data() + field.size())
    throw DataError(fmt::format(
        "{}: {} is \"{}\", which is no number: write kinds as columns of yes and no, and leave what is unknown empty",
        place, attribute, field));
  return value;
}

/// Labels by what a table calls their people.
std::unordered_map<std::string, std::int64_t> labels_by_name(const Store& store) {
  std::unordered_map<std::string, std::int64_t> labels;
  for (std::int64_t label = 0; label < store.identities(); ++label) {
    const std::string name = store.identity_name(label);
    labels.emplace(name.empty() ? std::to_string(label) : name, label);
  }
  return labels;
}

Attributes all_unknown(std::vector<std::string> names, std::int64_t people) {
  Attributes all{.names = std::move(names)};
  all.values.assign(all.names.size(), std::vector<double>(static_cast<std::size_t>(people), kUnknown));
  return all;
}

}  // namespace

Attributes read_attributes(const Store& store, const Path& file) {
  TextLines lines(file);
  std::string_view row;
  std::vector<std::string> fields;
  if (!lines.next(row)) throw DataError("reading attributes of people: " + file.string() + " is empty");
  const char separator = separator_of(row);
  split_row(lines, row, separator, fields);
  if (fields.size() < 2)
    throw DataError(lines.place() +
                    ": a heading is expected, such as person,beard,age: the person first, then attributes");
  Attributes all = all_unknown({fields.begin() + 1, fields.end()}, store.identities());
  const auto labels = labels_by_name(store);
  std::int64_t known = 0;
  while (lines.next(row)) {
    if (row.empty()) continue;
    const std::string place = lines.place();
    split_row(lines, row, separator, fields);
    if (fields.size() != all.names.size() + 1)
      throw DataError(fmt::format("{}: it has {} fields, the heading has {}", place, fields.size(),
                                  all.names.size() + 1));
    const auto found = labels.find(fields.front());
    if (found == labels.end()) continue;
    ++known;
    for (std::size_t a = 0; a < all.names.size(); ++a)
      all.values[a][static_cast<std::size_t>(found->second)] =
          attribute_number(fields[a + 1], all.names[a], place);
  }
  if (known == 0)
    throw ConfigError(fmt::format(
        "reading attributes of people: {} names nobody of {}; its first field must be the person's name (`facemae store list` shows them)",
        file.string(), store.folder().string()));
  spdlog::info("{} attributes of {} of {} people", all.names.size(), known, store.identities());
  return all;
}

Attributes synthetic_attributes(const Store& store) {
  const auto seed = read_manifest(store.shard_folder()).ingest_seed;
  Attributes all;
  for (std::int64_t label = 0; label < store.identities(); ++label) {
    const auto identity = synth_identity(store.identity_name(label));
    if (!identity || !seed)
      throw ConfigError("--attributes synthetic: " + store.folder().string() +
                        " was not made by `facemae synth`; give a table of its people's attributes instead");
    const auto values = synth_attributes(*seed, *identity);
    if (all.names.empty()) {
      std::vector<std::string> names;
      for (const auto& [name, value] : values) names.push_back(name);
      all = all_unknown(std::move(names), store.identities());
    }
    for (std::size_t a = 0; a < values.size(); ++a)
      all.values[a][static_cast<std::size_t>(label)] = values[a].second;
  }
  return all;
}

Attributes attributes_of(const Store& store, const std::string& given) {
  return given == "synthetic" ? synthetic_attributes(store) : read_attributes(store, given);
}

std::vector<AttackFigure> attribute_figures(
    const ReleasedFaces& released, const FaceLinks& links, const Attributes& attributes,
    const std::vector<std::pair<std::string, torch::Tensor>>& embedded, std::uint64_t seed) {
  std::vector<AttackFigure> all;
  const auto probe = [&](const std::string& name, const torch::Tensor& features) {
    const auto means = class_means(features, released.classes, released.class_count);
    for (auto& metric :
         attribute_risks(means, links.people_of_class, attributes, "ridge probe on " + name, seed))
      all.push_back(std::move(metric));
  };
  probe("colours of 14x14", pixel_features(released.pictures, 14));
  for (const auto& [name, features] : embedded) probe(name, features);
  return all;
}

}  // namespace facemae
