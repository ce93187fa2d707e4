// Configuration files and command lines (core/options/options.h): lines before the first empty one are words, the
// rest is the file.
#include "core/options/options.h"
#include "core/text.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

struct Settings {
  std::string text = "x";
  int whole = 1;
  std::uint64_t positive = 2;
  double number = 0.5;
  bool yes = true, on = false;
  std::vector<std::string> list;
  std::vector<double> numbers;
  std::optional<std::int64_t> maybe;
  std::string colour = "red";
};

void declare(Options& options, Settings& settings) {
  options.add("text", settings.text, "a text");
  options.add("whole", settings.whole, "a number");
  options.add("positive", settings.positive, "a number");
  options.add("number", settings.number, "a number");
  options.add("yes", settings.yes, "yes or no");
  options.add("list", settings.list, "words");
  options.add("numbers", settings.numbers, "several");
  options.add("maybe", settings.maybe, "a number or none");
  options.flag("on", settings.on, "a switch");
  options.choice("colour", settings.colour, {"red", "green"}, "one of two");
}

bool stops(const std::string& word) {
  return word == "--help" || word == "-h" || word.starts_with("--print");
}

}  // namespace

void parse(std::string_view input) {
  static InputPath file;
  const std::size_t gap = std::min(input.find("\n\n"), input.size());
  std::vector<std::string> words;
  for (auto& word : split(input.substr(0, gap), '\n'))
    // Those print, and another file's name could be a device that never ends.
    if (!word.empty() && !stops(word) && !word.starts_with("--config")) words.push_back(std::move(word));
  words.push_back("--config");
  words.push_back(file.holding(input.substr(std::min(input.size(), gap + 2))));
  Settings settings;
  CommonOptions common;
  Options options("Does nothing.", "nothing");
  declare(options, settings);
  if (!options.parse(words, common)) return;
  options.text();
  options.finish();
}

std::vector<std::string> seeds() {
  return {"--list\na\n--list=b\n--maybe=1\n--numbers\n1\n2e-3\n\nlist = c\nlist = d\nwhole = 1\n",
          "--text\nword\n--on\n--maybe=7\n--list\na\nb\n--colour\ngreen\n\nwhole = -3\nnumber = 1e-3\n",
          "\n\n# a comment\ntext = a b\nyes = no\nlist = a b c\npositive = 18446744073709551615\non = yes\n"};
}

}  // namespace facemae::fuzz
