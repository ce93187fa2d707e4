#pragma once
// A proportion that was measured, with its 95 % interval.

namespace facemae {

/// In 0..1; NaN without trials.
struct Figure {
  double value = 0, low = 0, high = 0;
};

}  // namespace facemae
