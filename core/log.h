#pragma once
// Logging: spdlog to stderr, one line per event, the rank in every line.
#include <spdlog/spdlog.h>

#include <string>

namespace facemae {

/// Sets up spdlog's default logger. level: trace, debug, info, warn, error; throws ConfigError on another
/// word. Ranks above 0 print warnings and errors only, unless level is debug or trace.
void start_logging(const std::string& level, int rank, int world);

}  // namespace facemae
