#include "data/source/sample_classes.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

std::string_view folder_in(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }
std::string_view key_in(std::string_view path) {
  return path.substr(0, path.find('.', folder_in(path).size()));
}

bool has_ending(std::string_view path, std::string_view ending) {
  return path.size() > ending.size() &&
         std::equal(ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

bool is_class_number(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string class_in_cls(std::string_view content) {
  const std::string text = trim(content);
  return is_class_number(text) ? text : "";
}

std::string class_in_json(std::string_view content) {
  const auto json = nlohmann::json::parse(content, nullptr, false);
  if (!json.is_object()) return "";
  for (const char* name : {"label", "class", "identity"}) {
    const auto found = json.find(name);
    if (found == json.end()) continue;
    if (found->is_number_unsigned()) return std::to_string(found->get<std::uint64_t>());
    if (found->is_string()) return trim(found->get<std::string>());
  }
  return "";
}

/// The number of `name` in the table; a new one if it is not there.
std::uint32_t number_of(std::string_view name, std::vector<std::string>& names,
                        std::unordered_map<std::string, std::uint32_t>& numbers) {
  const auto [at, fresh] = numbers.emplace(name, static_cast<std::uint32_t>(names.size()));
  if (fresh) names.emplace_back(name);
  return at->second;
}

}  // namespace

bool SampleClasses::is_label(std::string_view path) {
  return has_ending(path, ".cls") || has_ending(path, ".json");
}

void SampleClasses::add_image(std::string_view path) {
  go_to(path);
  sample_.images.push_back(classes_.size());
  classes_.push_back(kNone);
  const std::string_view folder = folder_in(path);
  if (folders_of_.empty() || folders_[folders_of_.back()] != folder) {  // images of a folder come together
    folders_of_.push_back(number_of(folder, folders_, folder_numbers_));
    folder_labels_.resize(folders_.size());
  } else {
    folders_of_.push_back(folders_of_.back());
  }
  some_in_no_folder_ = some_in_no_folder_ || folder.empty();
}

void SampleClasses::add_label(std::string_view path, Bytes content) {
  go_to(path);
  const bool by_cls = has_ending(path, ".cls");
  if (sample_.by_cls && !by_cls) return;
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  const std::string name = by_cls ? class_in_cls(text) : class_in_json(text);
  if (name.empty() || name.find('\0') != name.npos) return;
  sample_.label = number_of(name, names_, numbers_);
  class_places_.resize(names_.size());
  sample_.by_cls = by_cls;
}

void SampleClasses::go_to(std::string_view path) {
  const std::string_view key = key_in(path);
  if (key == key_) return;
  settle();
  key_ = key;
  if (const auto earlier = waiting_.extract(key_)) sample_ = std::move(earlier.mapped());
}

void SampleClasses::settle() {
  const Sample sample = std::exchange(sample_, {});
  if (sample.label == kNone || sample.images.empty()) {
    if (key_.find('/') == key_.npos) waiting_[key_] = sample;
    return;
  }
  for (const std::uint64_t image : sample.images) {
    classes_[image] = sample.label;
    Seen& folder = folder_labels_[folders_of_[image]];
    if (folder.archive == archive_ && folder.what != sample.label) some_folder_is_mixed_ = true;
    folder = {archive_, sample.label};
    Seen& place = class_places_[sample.label];
    if (place.archive == archive_ && place.what != folders_of_[image] && scattered_.empty())
      scattered_ = fmt::format("class {} in {} and {}", names_[sample.label], folders_[place.what],
                               folders_[folders_of_[image]]);
    place = {archive_, folders_of_[image]};
  }
}

void SampleClasses::end_archive() {
  settle();
  key_.clear();
  waiting_.clear();
  ++archive_;
}

std::optional<std::uint64_t> SampleClasses::first_without() const {
  std::optional<std::uint64_t> first;
  for (std::uint64_t image = 0; image < classes_.size(); ++image) {
    if (classes_[image] != kNone) continue;
    if (folders_[folders_of_[image]].empty()) return image;
    if (!first) first = image;
  }
  return first;
}

std::size_t SampleClasses::width() const {
  if (!std::all_of(names_.begin(), names_.end(), is_class_number)) return 0;
  std::size_t width = 1;
  for (const std::string& name : names_) width = std::max(width, std::to_string(std::stoull(name)).size());
  return width;
}

std::vector<std::string> SampleClasses::names(std::size_t width) const {
  std::vector<std::string> names = names_;
  if (width == 0) return names;
  for (std::string& name : names) name = fmt::format("{:0{}}", std::stoull(name), width);
  return names;
}

}  // namespace facemae
