#pragma once
// How many people an audit needs before it can say that leakage is below a threshold.
#include <cstdint>
#include <string>

namespace facemae {

/// The smallest number of people, each worth one independent trial, with whom the exact upper limit at `alpha` stays
/// at or below `threshold` with probability `power`, when the truth is `truth`. Throws ConfigError unless
/// 0 <= truth < threshold < 1.
std::int64_t people_to_show_below(double threshold, double truth, double alpha = 0.05, double power = 0.8);

/// What would help an audit that found `value` with an upper limit above `threshold`: one sentence.
std::string sample_size_advice(double threshold, double value, double alpha = 0.05);

}  // namespace facemae
