#pragma once
// What core/options/options.cpp and declarations.cpp share: the declared options, and what was said of them.
#include <algorithm>
#include <boost/program_options.hpp>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/options/options.h"

namespace facemae {

/// What a number of an option, or the length of a list, must keep to.
struct OptionBounds {
  static constexpr double kNone = std::numeric_limits<double>::infinity();
  double lowest = -kNone, highest = kNone;
  bool lowest_fits = true, highest_fits = true;  ///< the bound itself may be given
  std::string why;

  bool hold(double value) const;
  std::string text() const;  ///< "at least 2", "from 1 to 9", "above 0 and below 1"
};

struct Declarations::Entry {
  std::string group, name, help, default_text;
  OptionBinding binding;
  bool required;
  std::vector<Named<std::size_t>> kinds = {};  ///< of a choice among rows with lines of help
  OptionBounds bounds = {};
  std::string unless = {};  ///< an option with which this one may be missing
  bool free = false;
  std::vector<std::string> old_names = {};
  std::optional<std::string> before = {};
  std::string open = {};  ///< a value that is as good as none for what goes on
  bool missing = false;   ///< in what goes on, which has the value of `before`

  /// "" when what was given is within the bounds.
  std::string fault(const std::string& shown, const std::string& where) const;
};

struct Declarations::State {
  /// One occurrence of an option: on the command line, or a line of the file, which `where` then names.
  struct Said {
    std::vector<std::string> words;
    std::string where;
  };
  using AllSaid = std::vector<std::pair<std::string, std::vector<Said>>>;  ///< by option, in order
  static void add(AllSaid& all, const std::string& name, Said said);

  std::string summary, usage, epilogue, current_group = "Options";
  std::deque<Entry> entries;  // handles point at them
  std::optional<Entry> positional;
  std::vector<ForeignOption> foreign;
  std::vector<std::string>* free_words = nullptr;
  std::string config_file;
  bool print_config = false;
  bool unread = false;  ///< the words made no sense at all: what they lack is no fault then
  std::map<std::string, bool> given;
  std::vector<std::string> faults, warnings;
  std::size_t common_entries = 0;

  /// By its name or an old one.
  Entry* find(const std::string& name) {
    for (auto& entry : entries)
      if (entry.name == name ||
          std::find(entry.old_names.begin(), entry.old_names.end(), name) != entry.old_names.end())
        return &entry;
    return nullptr;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : entries) all.push_back("--" + entry.name);
    return all;
  }
  /// What may have been meant by an unknown name: ": did you mean --batch?".
  std::string advice(std::string name) const;
  /// The name of an entry that was called `name`, with a warning when that is an old one.
  const std::string& called(const std::string& name, const std::string& where) {
    const std::string& now = find(name)->name;
    if (now != name)
      warnings.push_back("--" + name + where + " is now called --" + now + ": the old name still works");
    return now;
  }
  boost::program_options::options_description description() const;
  void take(const AllSaid& all);
  AllSaid in_file();
};

}  // namespace facemae
