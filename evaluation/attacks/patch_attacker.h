#pragma once
// Patch by patch (A2): is each part of a released picture explained by some photo of a person? Photos may differ from
// patch to patch, so it sees through pictures that are put together from several.
#include <cstdint>

#include "evaluation/attacks/attacker.h"

namespace facemae {

/// A picture is a grid of 7 x 7 patches (16 pixels each at 112), each 4 x 4 colours. With the distances d of patch p,
///   K_ijp = exp(-d_ijp^2 / 2h),  score(i, person) = sum_p log(1 - pi + pi mean_{j of person} K / mean_{all j} K).
/// h and pi, the share of patches that come from photos, are those of a grid that rank the attacker's own people best.
class PatchAttacker : public Attacker {
 public:
  AttackerFacts facts() const override;
  bool learns() const override { return true; }
  /// On at most 512 pictures of the lesson. Throws ConfigError with fewer than two people.
  void fit(const Lesson& lesson) override;
  /// Throws ConfigError before fit(). Memory beside the pictures: some 100 MiB.
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override;

  double bandwidth() const { return h_; }
  double kept_share() const { return pi_; }

 private:
  double h_ = 0, pi_ = 0;
};

}  // namespace facemae
