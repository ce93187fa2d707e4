// Makes the default logger before a test starts threads, as start_logging does in the program. Made by the first
// message of a thread instead, the lock inside the library (not compiled for ThreadSanitizer) would hide that the
// others wait for it, and their first messages look like races.
#include <spdlog/spdlog.h>

namespace facemae {
namespace {

[[maybe_unused]] const auto made_here = spdlog::default_logger();

}  // namespace
}  // namespace facemae
