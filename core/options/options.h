#pragma once
// Command-line options and `--config FILE` with the same names, on Boost.Program_options. Every fault is
// collected and reported together, with the nearest valid name.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/kinds.h"

namespace facemae {

/// Options that every command has.
struct CommonOptions {
  std::string log_level = "info";
  std::string json;  ///< file for the command's result, "" none
};

/// Names that options have in another program, parted by blanks and with hyphens for underscores, and what is said of
/// them where they are unknown: the option that does it here, or why none is needed.
struct ForeignOption {
  const char* names;
  const char* answer;
};

/// How words become the value of an option, and back.
struct OptionBinding {
  std::function<std::string(const std::vector<std::string>&)> set;  ///< returns the fault, "" when fine
  std::function<std::vector<std::string>()> get;                    ///< present value, empty when unset
  std::function<double()>
      measure;       ///< what bounds compare: a number, or the length of a list; none: no bounds
  std::string type;  ///< shown in --help
  bool is_switch = false, is_list = false;

  static OptionBinding of(std::string& value);
  static OptionBinding of(bool& value);
  static OptionBinding of(int& value);
  static OptionBinding of(std::int64_t& value);
  static OptionBinding of(std::uint64_t& value);
  static OptionBinding of(double& value);
  static OptionBinding of(std::vector<std::string>& value);
  static OptionBinding of(std::vector<double>& value);
  template <class T>
  static OptionBinding of(std::optional<T>& value) {
    auto inner = std::make_shared<T>();
    OptionBinding binding = of(*inner);
    binding.set = [inner, set = binding.set, &value](const std::vector<std::string>& words) {
      std::string fault = set(words);
      if (fault.empty()) value = *inner;
      return fault;
    };
    binding.get = [inner, get = binding.get, &value]() -> std::vector<std::string> {
      if (!value) return {};
      *inner = *value;
      return get();
    };
    return binding;  // bounds measure what was given, which `inner` holds then
  }
};

class Option;

/// What declares options, one after the other: Options itself, and the handle of each option, so that
/// declarations can be chained. Variables are bound by reference; their present values are the defaults.
class Declarations {
 public:
  /// Starts a group; shown as a heading in --help.
  Declarations& group(const std::string& title);
  /// A value of type std::string, int, int64, uint64, double, bool (yes/no), std::vector of std::string or
  /// double, or std::optional of one of them. Units belong into `help`.
  template <class T>
  Option add(const std::string& name, T& value, const std::string& help);
  template <class T>
  Option require(const std::string& name, T& value, const std::string& help);
  /// A switch: --name sets it; `name = yes` in a file.
  Option flag(const std::string& name, bool& value, const std::string& help);
  /// The same, of which text() says nothing unless it was given: texts from before it are as those of today.
  Option flag(const std::string& name, std::optional<bool>& value, const std::string& help);
  /// One word of a closed list.
  Option choice(const std::string& name, std::string& value, std::vector<std::string> allowed,
                const std::string& help);
  /// One row of a table of kinds, whose lines of help are shown below `help`. The value is the row's name, or,
  /// when it is no text, the row's value.
  template <class T, KindTable Rows>
  Option choice(const std::string& name, T& value, const Rows& rows, const std::string& help);
  /// Words without a flag, in order. Bounds of the handle are for their number.
  Option positional(const std::string& name, std::vector<std::string>& values, const std::string& help,
                    std::size_t at_least = 0);
  /// What is said of unknown options before the nearest name is guessed; `table` outlives this.
  Declarations& explain(std::span<const ForeignOption> table);
  /// Text under the options in --help: examples, hints. A paragraph is one line, which is wrapped.
  Declarations& epilogue(const std::string& text);

 protected:
  struct State;
  struct Entry;
  explicit Declarations(State* state) : state_(state) {}
  Option declare(const std::string& name, const std::string& help, OptionBinding binding, bool required);
  Option declare_choice(const std::string& name, const std::vector<Named<std::size_t>>& rows,
                        const std::string& help, const std::function<void(std::size_t)>& choose,
                        const std::function<std::size_t()>& chosen);

  State* state_;
};

/// The handle of a declared option: says more about it. A given value outside of the bounds is a fault that
/// names option, bound and value, and `why` if there is one.
class Option : public Declarations {
 public:
  Option& at_least(double bound, const std::string& why = "");
  Option& above(double bound, const std::string& why = "");
  Option& at_most(double bound, const std::string& why = "");
  Option& below(double bound, const std::string& why = "");
  Option& between(double lowest, double highest) { return at_least(lowest).at_most(highest); }
  /// Of a required option: it may be missing where `other` is given.
  Option& unless(const std::string& other);
  /// It may change between starts of a run without changing the run's result.
  Option& free();
  /// Other words for its values: each word that is given counts as what `meaning` makes of it.
  Option& understood(const std::function<std::string(const std::string&)>& meaning);
  /// A name that the option had before: still understood, with a warning.
  Option& was(const std::string& old_name);
  /// The value that things have which began before there was this option, "" for none: they lack it and go on with that
  /// (Options::go_on()), while new ones begin with the default. `open`: a value that leaves it to them, as not giving the
  /// option does.
  Option& before(const std::string& value, const std::string& open = "");

 private:
  friend class Declarations;
  Option(State* state, Entry* entry) : Declarations(state), entry_(entry) {}
  Entry* entry_;
};

/// Flags override the configuration file. Given several times, a list has the words of all; anything else is a
/// fault.
class Options : public Declarations {
 public:
  /// summary: one sentence. usage: what follows "facemae", e.g. "pack --from folder --in PATH --out STORE".
  Options(std::string summary, std::string usage);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  /// Reads the words after the command. Returns false when --help or -h was printed: the command is over.
  /// Faults are kept for finish().
  bool parse(std::span<const std::string> words, CommonOptions& common);
  /// Adds a fault unless `fine`.
  void check(bool fine, const std::string& fault);
  /// Throws ConfigError with all faults, if any; prints the configuration and returns
  /// false for --print-config.
  bool finish();

  /// True when the option was given on the command line or in the file.
  bool given(const std::string& name) const;
  /// True for an option that is declared free(), by its name or an old one.
  bool may_change(const std::string& name) const;
  /// The name now of an option that had this one before; any other name as it is.
  std::string name_now(const std::string& name) const;
  /// The value of an option's before(), "" where nothing was said.
  std::string before(const std::string& name) const;
  /// For what goes on and had the options of `text`: those with a before() that were not given now take the values that
  /// they have there; where they are missing they take that of before(), and stay missing in text().
  void go_on(const std::string& text);
  /// `key = value` lines in order of declaration, without the common options; parses back to the same values.
  std::string text() const;
  /// `width` 0: that of the terminal (core/options/help_text.h).
  std::string help(int width = 0) const;

 private:
  std::unique_ptr<State> owned_;
};

template <class T>
Option Declarations::add(const std::string& name, T& value, const std::string& help) {
  return declare(name, help, OptionBinding::of(value), false);
}
template <class T>
Option Declarations::require(const std::string& name, T& value, const std::string& help) {
  return declare(name, help, OptionBinding::of(value), true);
}
template <class T, KindTable Rows>
Option Declarations::choice(const std::string& name, T& value, const Rows& rows, const std::string& help) {
  std::vector<Named<std::size_t>> names;
  std::vector<T> values;
  for (const auto& row : rows) {
    names.push_back({row.name, names.size(), row.help});
    if constexpr (std::is_same_v<T, std::string>)
      values.emplace_back(row.name);
    else
      values.push_back(row.value);
  }
  return declare_choice(
      name, names, help, [values, &value](std::size_t at) { value = values[at]; },
      [values, &value] {
        std::size_t at = 0;
        while (at < values.size() && !(values[at] == value)) ++at;
        return at;
      });
}

}  // namespace facemae
