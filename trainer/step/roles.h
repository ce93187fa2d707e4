#pragma once
// What a task can do beside training, for those who watch a run.
#include <vector>

#include "data/image/image.h"
#include "evaluation/verification.h"
#include "trainer/step/faces.h"

namespace facemae {

class World;

class PictureMaker {
 public:
  virtual ~PictureMaker() = default;
  /// Shows what the model does with these faces.
  virtual Image picture(const Faces& faces) = 0;
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// All ranks. Measures the model on sets kept apart from training, and leaves its state as it was.
  virtual std::vector<Evaluated> evaluate(World& world) = 0;
};

}  // namespace facemae
