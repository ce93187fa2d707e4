#pragma once
// How fast a device could compute at most, so that a run can say which part of that it reaches.
#include <optional>
#include <string>

namespace facemae {

/// Operations per second of dense matrix products in the number format of --precision (settled: float32, tf32 or
/// bfloat16), as the maker of the GPU states them; `gpu` as its driver names it ("NVIDIA H100 80GB HBM3"). Nothing for a
/// device that is not in the table, for one without that format, and for CPUs.
std::optional<double> peak_speed(const std::string& gpu, const std::string& precision);

}  // namespace facemae
