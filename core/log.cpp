#include "core/log.h"

#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

#include "core/error.h"
#include "core/text.h"

namespace facemae {

void start_logging(const std::string& level, int rank, int world) {
  const auto wanted = spdlog::level::from_str(level);
  if (wanted == spdlog::level::off && level != "off")
    throw ConfigError("--log-level " + level + " is not a level" +
                      suggestion(level, {"trace", "debug", "info", "warn", "error", "off"}));
  auto logger =
      std::make_shared<spdlog::logger>("facemae", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const std::string who = world > 1 ? "[rank " + std::to_string(rank) + "] " : "";
  logger->set_pattern("%Y-%m-%d %H:%M:%S %^%l%$ " + who + "%v");
  logger->set_level(rank == 0 || wanted <= spdlog::level::debug ? wanted
                                                                : std::max(wanted, spdlog::level::warn));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace facemae
