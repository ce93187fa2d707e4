// Declaring options: what Declarations and the handles of options do.
#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "core/options/options_state.h"
#include "core/text.h"

namespace facemae {

bool OptionBounds::hold(double value) const {
  return (lowest_fits ? value >= lowest : value > lowest) &&
         (highest_fits ? value <= highest : value < highest);
}

std::string OptionBounds::text() const {
  const auto number = [](double x) {
    return x == std::floor(x) && std::fabs(x) < 1e15 ? fmt::format("{:.0f}", x) : fmt::format("{}", x);
  };
  std::string low = (lowest_fits ? "at least " : "above ") + number(lowest);
  std::string high = (highest_fits ? "at most " : "below ") + number(highest);
  if (lowest == highest) return number(lowest);
  if (highest == kNone) return low;
  if (lowest == -kNone) return high;
  return lowest_fits && highest_fits ? "from " + number(lowest) + " to " + number(highest)
                                     : low + " and " + high;
}

std::string Declarations::Entry::fault(const std::string& shown, const std::string& where) const {
  if (!binding.measure || bounds.hold(binding.measure())) return "";
  const std::string why = bounds.why.empty() ? "" : ": " + bounds.why;
  const std::string given = join(binding.get(), " ");
  if (binding.is_list)
    return fmt::format("{}{}: {} expected, not {} ({}){}", shown, where, bounds.text(), binding.measure(),
                       given, why);
  return shown + where + " must be " + bounds.text() + ", not " + given + why;
}

Declarations& Declarations::group(const std::string& title) {
  state_->current_group = title;
  return *this;
}

Option Declarations::declare(const std::string& name, const std::string& help, OptionBinding binding,
                             bool required) {
  std::string shown = binding.is_switch ? "" : join(binding.get(), " ");
  state_->entries.push_back(
      {state_->current_group, name, help, std::move(shown), std::move(binding), required});
  return {state_, &state_->entries.back()};
}

namespace {

OptionBinding switch_of(OptionBinding binding) {
  binding.is_switch = true;
  binding.type = "";
  return binding;
}

}  // namespace

Option Declarations::flag(const std::string& name, bool& value, const std::string& help) {
  return declare(name, help, switch_of(OptionBinding::of(value)), false);
}

Option Declarations::flag(const std::string& name, std::optional<bool>& value, const std::string& help) {
  return declare(name, help, switch_of(OptionBinding::of(value)), false);
}

Option Declarations::choice(const std::string& name, std::string& value, std::vector<std::string> allowed,
                            const std::string& help) {
  OptionBinding binding = OptionBinding::of(value);
  binding.type = join(allowed, "|");
  binding.set = [allowed = std::move(allowed), &value](const std::vector<std::string>& words) -> std::string {
    if (std::find(allowed.begin(), allowed.end(), words.front()) == allowed.end())
      return "\"" + words.front() + "\" is unknown" + suggestion(words.front(), allowed);
    value = words.front();
    return "";
  };
  return declare(name, help, std::move(binding), false);
}

Option Declarations::declare_choice(const std::string& name, const std::vector<Named<std::size_t>>& rows,
                                    const std::string& help, const std::function<void(std::size_t)>& choose,
                                    const std::function<std::size_t()>& chosen) {
  const std::vector<std::string> names = names_of(rows);
  OptionBinding binding;
  binding.type = join(names, "|");
  binding.set = [names, choose](const std::vector<std::string>& words) -> std::string {
    const auto at = std::find(names.begin(), names.end(), words.front());
    if (at == names.end()) return "\"" + words.front() + "\" is unknown" + suggestion(words.front(), names);
    choose(static_cast<std::size_t>(at - names.begin()));
    return "";
  };
  binding.get = [names, chosen]() -> std::vector<std::string> {
    const std::size_t at = chosen();
    return at < names.size() ? std::vector{names[at]} : std::vector<std::string>{};
  };
  Option handle = declare(name, help, std::move(binding), false);
  for (const auto& row : rows)
    if (*row.help != '\0') handle.entry_->kinds.push_back(row);
  return handle;
}

Option Declarations::positional(const std::string& name, std::vector<std::string>& values,
                                const std::string& help, std::size_t at_least) {
  state_->positional = {"", name, help, "", OptionBinding::of(values), at_least > 0};
  state_->free_words = &values;
  Option handle(state_, &*state_->positional);
  if (at_least > 0) handle.at_least(static_cast<double>(at_least));
  return handle;
}

Declarations& Declarations::explain(std::span<const ForeignOption> table) {
  state_->foreign.insert(state_->foreign.end(), table.begin(), table.end());
  return *this;
}

std::string Declarations::State::advice(std::string name) const {
  name.erase(0, name.find_first_not_of('-'));
  std::replace(name.begin(), name.end(), '_', '-');
  const auto all = names();
  if (std::find(all.begin(), all.end(), "--" + name) != all.end()) return ": did you mean --" + name + "?";
  for (const auto& row : foreign) {
    const auto known = split(row.names, ' ');
    if (std::find(known.begin(), known.end(), name) != known.end()) return std::string(": ") + row.answer;
  }
  constexpr std::size_t kFew = 12;
  if (all.size() > kFew && nearest("--" + name, all).empty()) return ": --help lists the options";
  return suggestion("--" + name, all);
}

Declarations& Declarations::epilogue(const std::string& text) {
  state_->epilogue = text;
  return *this;
}

Option& Option::at_least(double bound, const std::string& why) {
  entry_->bounds.lowest = bound, entry_->bounds.lowest_fits = true;
  if (!why.empty()) entry_->bounds.why = why;
  return *this;
}
Option& Option::above(double bound, const std::string& why) {
  at_least(bound, why);
  entry_->bounds.lowest_fits = false;
  return *this;
}
Option& Option::at_most(double bound, const std::string& why) {
  entry_->bounds.highest = bound, entry_->bounds.highest_fits = true;
  if (!why.empty()) entry_->bounds.why = why;
  return *this;
}
Option& Option::below(double bound, const std::string& why) {
  at_most(bound, why);
  entry_->bounds.highest_fits = false;
  return *this;
}
Option& Option::unless(const std::string& other) {
  entry_->unless = other;
  return *this;
}
Option& Option::free() {
  entry_->free = true;
  return *this;
}
Option& Option::understood(const std::function<std::string(const std::string&)>& meaning) {
  entry_->binding.set = [set = entry_->binding.set, meaning](std::vector<std::string> words) {
    std::transform(words.begin(), words.end(), words.begin(), meaning);
    return set(words);
  };
  return *this;
}
Option& Option::was(const std::string& old_name) {
  entry_->old_names.push_back(old_name);
  return *this;
}
Option& Option::before(const std::string& value, const std::string& open) {
  entry_->before = value;
  entry_->open = open;
  return *this;
}

}  // namespace facemae
