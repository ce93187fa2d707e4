#pragma once
// What the attacks on a release found, in the form that reports and policies read.
#include <iterator>
#include <utility>
#include <vector>

#include "evaluation/campaign/controls.h"
#include "evaluation/statistics/attack_figure.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

struct Findings {
  std::vector<Measurement> measurements;  ///< on the release, and of controls
  std::vector<AttackFigure> figures;      ///< what is no count of people: areas, rates at a fixed error
  std::vector<ControlResult> controls;

  void add(Findings other) {
    const auto append = [](auto& all, auto& more) {
      all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    };
    append(measurements, other.measurements);
    append(figures, other.figures);
    append(controls, other.controls);
  }
};

}  // namespace facemae
