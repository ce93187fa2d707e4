#pragma once
// What a line of metrics tells of all ranks: sums of their shares, and who has the most of something.
#include <string>
#include <utility>
#include <vector>

#include "cluster/tensors/communicator.h"
#include "data/loader/loader_figures.h"
#include "trainer/speed/rank_figures.h"
#include "trainer/step/reading.h"
#include "trainer/step/task.h"

namespace facemae {

/// On their way from the device, for which the host does not wait until it asks.
class LineFigures {
 public:
  using Named = std::vector<std::pair<std::string, double>>;

  /// All ranks: begins to sum the step's metrics and what went wrong with data, and to gather `mine`.
  LineFigures(const std::vector<Metric>& metrics, const LoaderFigures& data, const RankFigures& mine,
              Communicator& ranks);

  struct Known {
    Named metrics;
    Named faults;  ///< of data, those that happened
    MostOfRanks most;
  };
  /// Waits on the host until they have come.
  Known known() const;

 private:
  std::vector<std::string> names_;
  Reading numbers_;
};

}  // namespace facemae
