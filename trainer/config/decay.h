#pragma once
// Which trained values weight decay is for.
#include <torch/nn/module.h>

#include <string>
#include <vector>

#include "trainer/step/gradient_buckets.h"

namespace facemae {

enum class Decay {
  All,       ///< everything, as in arcface_torch
  Matrices,  ///< what has two dimensions or more: not norms and biases, but tokens, as in MAE
  /// Weights of convolutions and linear layers: not BatchNorm, LayerNorm, biases, slopes of PReLU, tokens and positions,
  /// as in CVLface (AdaFace spares BatchNorm alone).
  Weights,
};

/// Of the option --decay; `own` where it was not given. Throws ConfigError for another name.
Decay decay_named(const std::string& name, Decay own);

/// The values of `module` that are trained, in its order, each with its name behind `prefix`.
std::vector<Parameter> trained_parameters(const torch::nn::Module& module, Decay decay,
                                          const std::string& prefix = "");

}  // namespace facemae
