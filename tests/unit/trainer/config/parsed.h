#pragma once
// The options of a training command as a test gives them.
#include <algorithm>
#include <string>
#include <vector>

#include "core/error.h"
#include "trainer/config/run_config.h"

namespace facemae::test {

/// What is wrong with these words, "" when nothing is.
template <class Config>
std::string faults_in(const std::vector<std::string>& words, Config& config) {
  CommonOptions common;
  Options options("", "");
  declare(options, config);
  options.parse(words, common);
  validate(options, config);
  try {
    options.finish();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// The same of these words beside those that every run needs.
template <class Config>
std::string faults_of(std::vector<std::string> words, Config& config) {
  const bool has_length = std::find(words.begin(), words.end(), "--epochs") != words.end() ||
                          std::find(words.begin(), words.end(), "--steps") != words.end();
  words.insert(words.end(), {"--store", "s", "--run", "r", "--batch", "64"});
  if (!has_length) words.insert(words.end(), {"--steps", "100"});
  return faults_in(words, config);
}

}  // namespace facemae::test
