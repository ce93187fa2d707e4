#include "evaluation/gate/strict_fields.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

using nlohmann::json;

const json kNothing = json::object();
constexpr int kDeepest = 32;

std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 40) text = text.substr(0, 37) + "...";
  return text;
}

}  // namespace

json parse_strictly(const std::string& text, const std::string& origin, std::vector<std::string>& faults) {
  std::vector<std::set<std::string>> open;  // keys so far of each object that we are in
  json value;
  try {
    value = json::parse(text, [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth > kDeepest)
        throw ConfigError(fmt::format("reading {}: it is nested more than {} deep", origin, kDeepest));
      if (event == json::parse_event_t::object_start) open.emplace_back();
      if (event == json::parse_event_t::object_end) open.pop_back();
      if (event == json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second)
        faults.push_back(fmt::format("\"{}\" is there twice in one object", parsed.get<std::string>()));
      return true;
    });
  } catch (const json::exception& error) {
    throw ConfigError(fmt::format("reading {}: it is not JSON ({})", origin, error.what()));
  }
  if (!value.is_object())
    throw ConfigError(fmt::format("reading {}: a JSON object was expected, found {}", origin, shown(value)));
  return value;
}

StrictFields::StrictFields(const json& value, std::string place, std::vector<std::string>& faults)
    : value_(&value), place_(std::move(place)), faults_(&faults) {
  if (value.is_object()) return;
  fault(fmt::format("{} must be an object, found {}", place_, shown(value)));
  value_ = &kNothing;
}

std::string StrictFields::place_of(const std::string& name) const {
  return place_.empty() ? name : place_ + "." + name;
}

bool StrictFields::has(const std::string& name) const {
  return value_->contains(name) && !value_->at(name).is_null();
}

const json* StrictFields::find(const std::string& name, bool may_lack) {
  known_.push_back(name);
  if (has(name)) return &value_->at(name);
  if (!may_lack && value_ != &kNothing) fault(place_of(name) + " is missing");
  return nullptr;
}

void StrictFields::expected(const std::string& name, const std::string& what) {
  fault(fmt::format("{} must be {}, found {}", place_of(name), what, shown(value_->at(name))));
}

double StrictFields::number(const std::string& name, double lowest, double highest,
                            std::optional<double> otherwise) {
  const json* value = find(name, otherwise.has_value());
  if (value == nullptr) return otherwise.value_or(lowest);
  if (value->is_number() && value->get<double>() >= lowest && value->get<double>() <= highest)
    return value->get<double>();
  expected(name, fmt::format("a number from {:g} to {:g}", lowest, highest));
  return lowest;
}

std::int64_t StrictFields::count(const std::string& name, std::int64_t lowest,
                                 std::optional<std::int64_t> otherwise) {
  constexpr std::int64_t highest = 1'000'000'000'000;
  const json* value = find(name, otherwise.has_value());
  if (value == nullptr) return otherwise.value_or(lowest);
  if (value->is_number_integer() && *value >= lowest && *value <= highest) return value->get<std::int64_t>();
  expected(name, fmt::format("a whole number from {} on", lowest));
  return lowest;
}

bool StrictFields::flag(const std::string& name, std::optional<bool> otherwise) {
  const json* value = find(name, otherwise.has_value());
  if (value == nullptr) return otherwise.value_or(false);
  if (!value->is_boolean()) expected(name, "true or false");
  return value->is_boolean() && value->get<bool>();
}

std::string StrictFields::word(const json& value, const std::string& name,
                               const std::vector<std::string>& allowed) {
  if (!value.is_string()) {
    expected(name, "a text");
    return "";
  }
  auto word = value.get<std::string>();
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), word) == allowed.end())
    fault(fmt::format("{}: \"{}\" is unknown{}", place_of(name), word, suggestion(word, allowed)));
  return word;
}

std::string StrictFields::text(const std::string& name, const std::vector<std::string>& allowed,
                               const std::optional<std::string>& otherwise) {
  const json* value = find(name, otherwise.has_value());
  return value == nullptr ? otherwise.value_or("") : word(*value, name, allowed);
}

std::vector<std::string> StrictFields::texts(const std::string& name, const std::vector<std::string>& allowed,
                                             const std::optional<std::vector<std::string>>& otherwise) {
  const json* value = find(name, otherwise.has_value());
  if (value == nullptr) return otherwise.value_or(std::vector<std::string>{});
  if (value->is_string()) return {word(*value, name, allowed)};
  if (!value->is_array()) {
    expected(name, "a list of texts");
    return {};
  }
  std::vector<std::string> words;
  for (const json& item : *value)
    // A number, as in "pairs": [100, "all"], is the text of its digits.
    words.push_back(word(item.is_number_unsigned() ? json(item.dump()) : item, name, allowed));
  return words;
}

StrictFields StrictFields::object(const std::string& name) {
  const json* value = find(name, false);
  return {value == nullptr ? kNothing : *value, place_of(name), *faults_};
}

std::vector<StrictFields> StrictFields::objects(const std::string& name, bool may_lack) {
  std::vector<StrictFields> items;
  const json* value = find(name, may_lack);
  if (value == nullptr) return items;
  if (!value->is_array()) {
    expected(name, "a list of objects");
    return items;
  }
  for (std::size_t i = 0; i < value->size(); ++i)
    items.emplace_back((*value)[i], fmt::format("{}[{}]", place_of(name), i), *faults_);
  return items;
}

void StrictFields::no_others() {
  for (const auto& [name, ignored] : value_->items())
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      fault(fmt::format("{} is unknown{}", place_of(name), suggestion(name, known_)));
}

}  // namespace facemae
