#pragma once
// Options of every type with the members that they are read into, for the tests of options.

#include <optional>
#include <string>
#include <vector>

#include "core/options/options.h"

namespace facemae::test_options {

/// Options of every type, bound to members.
struct Bound {
  std::string name = "plain";
  int count = 3;
  double rate = 0.5;
  bool fast = false, on = true;
  std::vector<std::string> list;
  std::optional<std::uint64_t> limit;
  std::vector<std::string> words;
  CommonOptions common;
  Options options{"Does things.", "thing [OPTIONS]"};
  Bound() {
    options.add("name", name, "a name")
        .add("count", count, "how many")
        .add("rate", rate, "per second")
        .flag("fast", fast, "hurry");
    options.add("on", on, "yes or no").add("list", list, "several").add("limit", limit, "perhaps");
    options.positional("WORD...", words, "free words");
  }
  bool parse(const std::vector<std::string>& arguments) { return options.parse(arguments, common); }
};

}  // namespace facemae::test_options
