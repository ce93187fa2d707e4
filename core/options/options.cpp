#include "core/options/options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <iomanip>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "core/files/text_lines.h"
#include "core/host.h"
#include "core/options/help_text.h"
#include "core/options/options_state.h"
#include "core/text.h"

namespace facemae {
namespace po = boost::program_options;
namespace {

/// Words of a list, parted by blanks; those with blanks or quotes of their own are quoted.
std::vector<std::string> words_in(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> std::quoted(word);) words.push_back(word);
  return words;
}
std::string line_of(const std::vector<std::string>& words) {
  std::ostringstream line;
  for (const auto& word : words) {
    if (line.tellp() > 0) line << ' ';
    if (word.empty() || word.find_first_of(" \t\"") != std::string::npos)
      line << std::quoted(word);
    else
      line << word;
  }
  return line.str();
}

}  // namespace

Options::Options(std::string summary, std::string usage)
    : Declarations(nullptr), owned_(std::make_unique<State>()) {
  state_ = owned_.get();
  state_->summary = std::move(summary);
  state_->usage = std::move(usage);
}
Options::~Options() = default;

namespace {

/// Options that a file cannot carry: they decide whether and which file is read.
bool belongs_on_the_command_line(const std::string& name) {
  return name == "config" || name == "print-config" || name == "help";
}

}  // namespace

void Declarations::State::add(AllSaid& all, const std::string& name, Said said) {
  auto at = std::find_if(all.begin(), all.end(), [&](const auto& of) { return of.first == name; });
  if (at == all.end()) at = all.insert(all.end(), {name, {}});
  at->second.push_back(std::move(said));
}

po::options_description Declarations::State::description() const {
  po::options_description all;
  for (const auto& entry : entries) {
    std::vector<std::string> spellings = entry.old_names;
    spellings.insert(spellings.begin(), entry.name);
    for (const auto& name : spellings) {
      if (entry.binding.is_switch)
        all.add_options()(name.c_str(), "");
      else if (entry.binding.is_list)
        all.add_options()(name.c_str(), po::value<std::vector<std::string>>()->multitoken(), "");
      else
        all.add_options()(name.c_str(), po::value<std::string>(), "");
    }
  }
  return all;
}

/// Sets what was not set before. Boost's store() adds up the occurrences of a list and refuses those of
/// anything else; it is asked for each option by itself, so that all faults are told, not only the first.
void Declarations::State::take(const AllSaid& all) {
  const auto known = description();
  for (const auto& [name, occurrences] : all) {
    if (given.contains(name)) continue;  // flags override the file
    given[name] = true;
    po::parsed_options parsed(&known);
    std::vector<std::string> places, words;
    for (const auto& said : occurrences) {
      parsed.options.emplace_back(name, said.words);
      if (!said.where.empty()) places.push_back(said.where);
      words.insert(words.end(), said.words.begin(), said.words.end());
    }
    const Entry& entry = *find(name);
    const OptionBinding& binding = entry.binding;
    const std::string where = places.empty() ? "" : " (" + join(places, ", ") + ")";
    std::string fault;
    try {
      po::variables_map values;
      po::store(parsed, values);
      const auto& value = values[name];
      fault = binding.set(binding.is_list ? value.as<std::vector<std::string>>()
                                          : std::vector{value.as<std::string>()});
      fault = fault.empty() ? entry.fault("--" + name, where) : "--" + name + where + ": " + fault;
    } catch (const po::multiple_occurrences&) {
      const std::size_t n = occurrences.size();
      fault = "--" + name + " is given " + (n == 2 ? "twice" : std::to_string(n) + " times") + where +
              (binding.is_switch ? "" : ": " + join(words, ", "));
    } catch (const po::error& error) {
      fault = "--" + name + where + ": " + error.what();
    }
    if (!fault.empty()) faults.push_back(fault);
  }
}

Declarations::State::AllSaid Declarations::State::in_file() {
  AllSaid all;
  std::istringstream in;
  try {
    in.str(read_text(config_file));
  } catch (const Error& error) {
    faults.push_back("--config: cannot read " + config_file + ": " + error.what());
  }
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = trim(line);
    if (line.empty() || line.front() == '#') continue;  // further right a # belongs to the value
    const std::string where = config_file + ":" + std::to_string(number);
    const auto equals = line.find('=');
    const std::string name = trim(line.substr(0, equals));
    if (equals == std::string::npos) {
      faults.push_back("\"" + line + "\" is not \"key = value\" (" + where + ")");
    } else if (const Entry* entry = find(name); entry == nullptr) {
      faults.push_back("unknown key \"" + name + "\" (" + where + ")" + advice(name));
    } else if (belongs_on_the_command_line(name)) {
      faults.push_back("\"" + name + "\" (" + where + ") belongs on the command line");
    } else {
      const std::string value = trim(line.substr(equals + 1));
      add(all, called(name, " (" + where + ")"),
          {entry->binding.is_list ? words_in(value) : std::vector{value}, where});
    }
  }
  return all;
}

bool Options::parse(std::span<const std::string> words, CommonOptions& common) {
  auto& s = *state_;
  s.common_entries = s.entries.size();
  bool help_wanted = false;  // for the list of options only: looked for before anything can be wrong
  group("Every command");
  choice("log-level", common.log_level, {"trace", "debug", "info", "warn", "error", "off"},
         "least severe messages to log, on stderr");
  add("json", common.json, "file to write the command's result to, as JSON");
  add("config", s.config_file, "file of `key = value` lines with these same names; flags override it");
  flag("print-config", s.print_config, "print every option in that form and stop");
  flag("help", help_wanted, "print this text and stop, as -h does");
  const auto asks_for_help = [](const std::string& word) { return word == "--help" || word == "-h"; };
  if (std::any_of(words.begin(), std::find(words.begin(), words.end(), "--"), asks_for_help)) {
    std::fputs(help().c_str(), stdout);
    return false;
  }

  const auto description = s.description();
  using Style = po::command_line_style::style_t;
  const int style = Style::allow_long | Style::long_allow_adjacent | Style::long_allow_next;
  std::vector<std::string> free_words;
  State::AllSaid said;
  bool may_be_a_value = false;  // of an unknown option: no fault of its own
  try {
    const auto parsed = po::command_line_parser({words.begin(), words.end()})
                            .options(description)
                            .style(style)
                            .allow_unregistered()
                            .run();
    for (const auto& option : parsed.options) {
      const bool was_unknown = std::exchange(may_be_a_value, false);
      const std::string& first =
          option.original_tokens.empty() ? option.string_key : option.original_tokens.front();
      if (option.unregistered && first.starts_with("--")) {
        const auto equals = first.find('=');
        s.faults.push_back("unknown option " + first + s.advice(first.substr(0, equals)));
        may_be_a_value = equals == first.npos && !s.positional;
      } else if (option.unregistered || option.position_key >= 0) {
        if (!was_unknown) free_words.push_back(option.value.empty() ? first : option.value.front());
      } else {
        const bool is_switch = s.find(option.string_key)->binding.is_switch;
        State::add(said, s.called(option.string_key, ""),
                   {is_switch ? std::vector<std::string>{"yes"} : option.value, ""});
      }
    }
  } catch (const po::error& error) {
    s.faults.emplace_back(error.what());
    s.unread = true;
    return true;
  }
  s.take(said);
  if (s.positional) {
    const Entry& entry = *s.positional;
    *s.free_words = free_words;
    if (entry.required && static_cast<double>(free_words.size()) < entry.bounds.lowest)
      s.faults.push_back(entry.name + " is missing");
    else if (const std::string fault = entry.fault(entry.name, ""); !fault.empty())
      s.faults.push_back(fault);
  } else {
    for (const auto& word : free_words)
      s.faults.push_back(word.starts_with("-") && word != "-"
                             ? "unknown option " + word + s.advice(word.substr(0, word.find('=')))
                             : "unexpected word \"" + word + "\"");
  }
  if (!s.config_file.empty()) s.take(s.in_file());
  for (const auto& entry : s.entries) {
    const bool has_fault = std::any_of(s.faults.begin(), s.faults.end(), [&](const std::string& fault) {
      return fault.starts_with("--" + entry.name + ":") || fault.starts_with("--" + entry.name + " ");
    });
    if (entry.required && !has_fault && !s.given.contains(entry.name) && !s.given.contains(entry.unless))
      s.faults.push_back("--" + entry.name + " is missing");
  }
  return true;
}

void Options::check(bool fine, const std::string& fault) {
  if (!fine && !state_->unread) state_->faults.push_back(fault);
}

bool Options::finish() {
  if (!state_->faults.empty()) {
    const std::size_t n = state_->faults.size();
    throw ConfigError((n == 1 ? "" : std::to_string(n) + " faults:\n  ") + join(state_->faults, "\n  "));
  }
  if (launched_rank() == 0)
    for (const auto& warning : state_->warnings) std::fprintf(stderr, "facemae: %s\n", warning.c_str());
  if (state_->print_config) std::fputs(text().c_str(), stdout);
  return !state_->print_config;
}

bool Options::given(const std::string& name) const { return state_->given.contains(name); }

bool Options::may_change(const std::string& name) const {
  const Entry* entry = state_->find(name);
  return entry != nullptr && entry->free;
}

std::string Options::name_now(const std::string& name) const {
  const Entry* entry = state_->find(name);
  return entry != nullptr ? entry->name : name;
}

std::string Options::before(const std::string& name) const {
  const Entry* entry = state_->find(name);
  return entry != nullptr ? entry->before.value_or("") : "";
}

void Options::go_on(const std::string& text) {
  std::map<std::string, std::string> had;
  for (const auto& line : split(text, '\n'))
    if (const auto equals = line.find('='); equals != std::string::npos)
      had[name_now(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
  for (auto& entry : state_->entries) {
    const bool left_open = !given(entry.name) || join(entry.binding.get(), " ") == entry.open;
    if (!entry.before || !left_open) continue;
    const auto found = had.find(entry.name);
    entry.missing = found == had.end();
    const std::string& value = entry.missing ? *entry.before : found->second;
    if (value.empty()) continue;
    const std::string fault = entry.binding.set({value});
    if (!fault.empty()) throw ConfigError("--" + entry.name + ", as it was: " + fault);
  }
}

std::string Options::text() const {
  std::string lines;
  for (std::size_t i = 0; i < state_->common_entries; ++i) {
    const auto& entry = state_->entries[i];
    if (entry.missing) continue;
    if (const auto words = entry.binding.get(); !words.empty())
      lines += entry.name + " = " + (entry.binding.is_list ? line_of(words) : words.front()) + "\n";
  }
  return lines;
}

std::string Options::help(int width) const {
  constexpr int kColumn = 26;
  const auto& s = *state_;
  if (width == 0) width = help_width();
  std::string text = wrapped("facemae " + s.usage + "\n\n" + s.summary + "\n", width);
  if (s.positional) text += "\n" + in_column(s.positional->name, s.positional->help, kColumn, width);
  std::string heading;
  for (const auto& entry : s.entries) {
    if (entry.group != heading) text += "\n" + (heading = entry.group) + ":\n";
    std::string head = "--" + entry.name + (entry.binding.type.empty() ? "" : " " + entry.binding.type);
    if (entry.required) head += "  (required)";
    std::string help = entry.help;
    if (!entry.default_text.empty() && !entry.required) help += " [" + entry.default_text + "]";
    std::size_t longest = 0;
    for (const auto& kind : entry.kinds) longest = std::max(longest, std::string(kind.name).size());
    for (const auto& kind : entry.kinds) {
      std::string name = kind.name;
      name.resize(longest + 2, ' ');
      help += "\n" + name + kind.help;
    }
    text += in_column(head, help, kColumn, width);
  }
  if (std::any_of(s.entries.begin(), s.entries.end(), [](const auto& e) { return e.binding.is_list; }))
    text += "\n" + wrapped("Options with \"...\" may be given several times: their words add up.\n", width);
  if (!s.epilogue.empty()) text += "\n" + wrapped(s.epilogue, width) + "\n";
  return text;
}

}  // namespace facemae
