#pragma once
// A program that stands in for facemae in a study: it notes its arguments, and writes what the real one would.
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "core/text.h"
#include "tests/temporary_folder.h"

namespace facemae::test {

/// Lines of FOLDER/rules, "PATTERN CODE": a command that holds PATTERN ends with CODE (as long as the line is there).
/// While FOLDER/slow is there, a command waits for its end; FOLDER/waiting has the numbers of those that do. Told to
/// stop by USR2, it ends with 76.
class FakeProgram {
 public:
  explicit FakeProgram(const Path& folder) : folder_(folder) {
    std::ofstream(path()) << R"sh(#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/calls"
trap 'exit 76' USR2
if [ -e "$here/slow" ]; then
  echo $$ >>"$here/waiting"
  while [ -e "$here/slow" ]; do sleep 0.02; done
fi
if [ -e "$here/rules" ]; then
  while read -r pattern code; do
    case "$*" in *"$pattern"*) echo "facemae: told to fail" >&2; exit "$code" ;; esac
  done <"$here/rules"
fi
json= report= before=
for word in "$@"; do
  case $before in --json) json=$word ;; --report) report=$word ;; esac
  before=$word
done
case $1 in
  reconstruct) mkdir -p "${json%/*}" && echo '{"images": 48}' >"$json" ;;
  evaluate) mkdir -p "${json%/*}" && echo '{"sets": [{"accuracy": 0.75}, {"accuracy": 0.85}]}' >"$json" ;;
  audit)
    mkdir -p "$report"
    echo '{"headline": {"attack": "A1", "attacker": "channel", "level": "person_to_class", "people": 6,
      "naming_odds": {"value": 0.2, "low": 0.1, "high": 0.3}},
      "controls": [{"kind": "positive", "works": true}, {"kind": "negative", "works": true}]}' >"$report/report.json" ;;
esac
)sh";
    ::chmod(path().c_str(), 0755);
  }
  std::string path() const { return (folder_ / "facemae").string(); }
  std::vector<std::string> calls() const { return lines("calls"); }
  std::vector<std::string> lines(const std::string& file) const {
    std::vector<std::string> all;
    if (std::filesystem::exists(folder_ / file))
      for (auto& line : split(read_plain_file(folder_ / file), '\n'))
        if (!line.empty()) all.push_back(line);
    return all;
  }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(folder_ / file) << text;
  }
  void remove(const std::string& file) const { std::filesystem::remove(folder_ / file); }

 private:
  Path folder_;
};

}  // namespace facemae::test
