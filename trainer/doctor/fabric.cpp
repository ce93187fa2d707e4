#include "trainer/doctor/fabric.h"

#include <algorithm>
#include <limits>

namespace facemae {

double fabric_rate(const Gathered& all) {
  double least = std::numeric_limits<double>::max();
  for (const auto& node : all.nodes()) {
    double fastest = 0;
    for (const auto& port : node.front()->network.ports)
      if (port.state == "ACTIVE") fastest = std::max(fastest, port.rate / 8);
    least = std::min(least, fastest);
  }
  return all.ranks.empty() ? 0 : least;
}

}  // namespace facemae
