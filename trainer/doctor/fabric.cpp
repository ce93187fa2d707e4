#include "trainer/doctor/fabric.h"

#include <algorithm>
#include <fstream>

namespace facemae {
namespace {

std::string first_line(const Path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace

double fabric_rate(const Path& sys) {
  namespace fs = std::filesystem;
  double best = 0;
  std::error_code missing;
  for (const auto& card : fs::directory_iterator(sys / "class" / "infiniband", missing))
    for (const auto& port : fs::directory_iterator(card.path() / "ports", missing)) {
      if (first_line(port.path() / "state").find("ACTIVE") == std::string::npos) continue;
      best = std::max(best, std::strtod(first_line(port.path() / "rate").c_str(), nullptr) / 8);
    }
  return best;
}

}  // namespace facemae
