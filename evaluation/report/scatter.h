#pragma once
// Two measured proportions of several arms against each other, as inline SVG.
#include <span>
#include <string>

#include "evaluation/statistics/figure.h"

namespace facemae {

struct ScatterPoint {
  std::string name;
  Figure x, y;  ///< proportions; without an interval where a limit is NaN
};

/// x on a logarithmic axis from 0.1 % (which also stands for less) to 100 %, y linear over what there is. Points
/// without a figure are left out; "" when none is left. Names are moved apart from each other.
std::string scatter_svg(std::span<const ScatterPoint> points, const std::string& x_label,
                        const std::string& y_label);

}  // namespace facemae
