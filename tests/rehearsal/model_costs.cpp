#include "tests/rehearsal/model_costs.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>

namespace facemae::rehearsal {
namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string said;
  for (int c = 0; pipe && (c = std::fgetc(pipe.get())) != EOF;) said += static_cast<char>(c);
  return said;
}

/// What a rank hands in: the model counts the larger tensor.
std::int64_t handed_in(const std::string& verb, std::int64_t larger, int ranks) {
  return verb == "all_gather" ? larger / ranks : larger;
}

}  // namespace

void expect_modelled(const std::map<std::string, Traffic>& step, std::optional<std::int64_t> launches,
                     const Path& run, int ranks, const std::string& words) {
  const char* const source = std::getenv("FACEMAE_SOURCE");
  if (source == nullptr || output_of("command -v python3").empty()) return;
  const std::string config = (run / "config.txt").string() + ",ranks=" + std::to_string(ranks) + words;
  const auto told =
      nlohmann::json::parse(output_of("python3 -B '" + std::string(source) +
                                      "/bench/scale_model.py' --volumes '" + config + "' --json"),
                            nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(told.is_object()) << "no model of " << config;
  for (const char* verb : {"all_reduce", "all_gather", "reduce_scatter"}) {
    const auto found = step.contains(verb) ? step.at(verb) : Traffic{};
    const auto& model = told["step"].value(verb, nlohmann::json{{"calls", 0}, {"bytes", 0}});
    EXPECT_EQ(found.calls, model["calls"].get<std::int64_t>()) << verb;
    EXPECT_EQ(found.bytes, handed_in(verb, model["bytes"].get<std::int64_t>(), ranks)) << verb;
  }
  if (launches) {
    EXPECT_NEAR(told["kernels"].get<double>(), static_cast<double>(*launches),
                0.02 * static_cast<double>(*launches));
  }
}

}  // namespace facemae::rehearsal
