#include "core/failpoint.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/host.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::array<std::pair<std::string_view, FailAction>, 5> kActions = {{{"kill", FailAction::Kill},
                                                                              {"stop", FailAction::Stop},
                                                                              {"stall", FailAction::Stall},
                                                                              {"pause", FailAction::Pause},
                                                                              {"throw", FailAction::Throw}}};

[[noreturn]] void refuse(const std::string& rule) {
  throw ConfigError("FACEMAE_FAILPOINT: \"" + rule +
                    "\" is not name[@rank][#count]=kill|stop|stall|pause|throw");
}

/// Cuts "<mark><number>" off the end of `text`, if it is there.
std::optional<std::uint64_t> cut_number(std::string& text, char mark, const std::string& rule) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, fault] = std::from_chars(text.data() + at + 1, end, number);
  if (fault != std::errc() || stopped != end) refuse(rule);
  text.resize(at);
  return number;
}

[[noreturn]] void sleep_for_ever() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

/// Uses write(2) alone, because the process may be in any state.
void announce(std::string_view name) {
  const std::string line = "facemae: failpoint " + std::string(name) + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

Failpoints from_environment() {
  const char* text = std::getenv("FACEMAE_FAILPOINT");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return {text != nullptr ? text : "", launched_rank()};
}

}  // namespace

Failpoints::Failpoints(std::string_view text, int rank) {
  for (const std::string& part : split(text, ',')) {
    const std::string rule = trim(part);
    if (rule.empty()) continue;
    const auto equals = rule.rfind('=');
    if (equals == std::string::npos) refuse(rule);
    const auto* action = kActions.begin();
    while (action != kActions.end() && action->first != rule.substr(equals + 1)) ++action;
    if (action == kActions.end()) refuse(rule);
    std::string name = rule.substr(0, equals);
    const auto count = cut_number(name, '#', rule);
    const auto of_rank = cut_number(name, '@', rule);
    if (name.empty() || count == 0) refuse(rule);
    if (of_rank && *of_rank != static_cast<std::uint64_t>(rank)) continue;
    auto& added = rules_.emplace_back();
    added.name = name;
    added.count = count.value_or(1);
    added.action = action->second;
  }
}

std::optional<FailAction> Failpoints::pass(std::string_view name) {
  std::optional<FailAction> due;
  for (auto& rule : rules_)
    if (rule.name == name && ++rule.passed == rule.count && !due) due = rule.action;
  return due;
}

void failpoint(std::string_view name) {
  static Failpoints points = from_environment();
  if (points.empty()) return;
  const auto due = points.pass(name);
  if (!due) return;
  announce(name);
  switch (*due) {
    case FailAction::Kill:
      ::kill(::getpid(), SIGKILL);
      sleep_for_ever();  // the signal may take a moment
    case FailAction::Stop:
      ::kill(::getpid(), SIGSTOP);
      return;
    case FailAction::Stall:
      sleep_for_ever();
    case FailAction::Pause:
      std::this_thread::sleep_for(std::chrono::seconds(10));
      return;
    case FailAction::Throw:
      throw Error("failpoint " + std::string(name) + ": FACEMAE_FAILPOINT asks for a failure here");
  }
}

}  // namespace facemae
