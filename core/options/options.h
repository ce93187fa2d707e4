#pragma once
// Command-line options and `--config FILE` with the same names, on Boost.Program_options. Every fault is
// collected and reported together, with the nearest valid name.
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace facemae {

/// Options that every command has.
struct CommonOptions {
  std::string log_level = "info";
  std::string json;  ///< file for the command's result, "" none
};

/// Declares options bound to variables whose present values are the defaults. Flags override the
/// configuration file. Given several times, a list has the words of all; anything else is a fault.
class Options {
 public:
  /// summary: one sentence. usage: what follows "facemae", e.g. "pack --from folder --in PATH --out STORE".
  Options(std::string summary, std::string usage);
  ~Options();

  /// Starts a group; shown as a heading in --help.
  Options& group(const std::string& title);
  /// A value of type std::string, int, int64, uint64, double, bool (yes/no), std::vector<std::string> or
  /// std::optional of one of them. Units belong into `help`.
  template <class T>
  Options& add(const std::string& name, T& value, const std::string& help) {
    return add_entry(name, help, bind(value), false);
  }
  template <class T>
  Options& require(const std::string& name, T& value, const std::string& help) {
    return add_entry(name, help, bind(value), true);
  }
  /// A switch: --name sets it; `name = yes` in a file.
  Options& flag(const std::string& name, bool& value, const std::string& help);
  /// One word of a closed list.
  Options& choice(const std::string& name, std::string& value, std::vector<std::string> allowed,
                  const std::string& help);
  /// Words without a flag, in order.
  Options& positional(const std::string& name, std::vector<std::string>& values, const std::string& help,
                      std::size_t at_least = 0);
  /// Text under the options in --help: examples, hints.
  Options& epilogue(const std::string& text);

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
  /// `key = value` lines in order of declaration, without the common options; parses back to the same values.
  std::string text() const;
  std::string help() const;

 private:
  struct Binding {
    std::function<std::string(const std::vector<std::string>&)> set;  ///< returns the fault, "" when fine
    std::function<std::vector<std::string>()> get;                    ///< present value, empty when unset
    std::string type;                                                 ///< shown in --help
    bool is_switch = false, is_list = false;
  };
  static Binding bind(std::string& value);
  static Binding bind(bool& value);
  static Binding bind(int& value);
  static Binding bind(std::int64_t& value);
  static Binding bind(std::uint64_t& value);
  static Binding bind(double& value);
  static Binding bind(std::vector<std::string>& value);
  template <class T>
  static Binding bind(std::optional<T>& value) {
    auto inner = std::make_shared<T>();
    Binding binding = bind(*inner);
    auto set = binding.set;
    binding.set = [inner, set, &value](const std::vector<std::string>& words) {
      std::string fault = set(words);
      if (fault.empty()) value = *inner;
      return fault;
    };
    auto get = binding.get;
    binding.get = [inner, get, &value]() -> std::vector<std::string> {
      if (!value) return {};
      *inner = *value;
      return get();
    };
    return binding;
  }
  Options& add_entry(const std::string& name, const std::string& help, Binding binding, bool required);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace facemae
