#pragma once
// Sets up logging: spdlog to stderr, one line per event, with the rank in every line.
#include <spdlog/spdlog.h>

#include <string>

namespace facemae {

/// Sets up spdlog's default logger. level: trace, debug, info, warn, error; throws ConfigError for any other
/// word. Ranks above 0 print only warnings and errors, unless level is debug or trace.
void start_logging(const std::string& level, int rank, int world);

}  // namespace facemae
