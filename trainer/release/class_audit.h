#pragma once
// Whom attackers find in a release whose classes may be of several people: the question that is left where pictures have
// no single original.
#include <memory>
#include <vector>

#include "evaluation/attacks/attacker.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// Fixed pixel attackers, which need no network and learn nothing: colour 28x28, 14x14 and 7x7, DCT.
std::vector<std::unique_ptr<Attacker>> fixed_pixel_attackers();

/// Of each attacker, which has learnt before what it is to know, two levels. PictureToPerson: the photo nearest to a
/// picture is of one of the people of its class. ClassToPerson: the same of the means of classes and of people, each
/// less the mean of all. Every class has as many people (people_per_class); the tallies and the intervals are by class,
/// whose people are found together.
std::vector<Measurement> look_for_people(const std::vector<std::unique_ptr<Attacker>>& attackers,
                                         const ReleasedFaces& released, const RealFaces& real,
                                         const FaceLinks& links);

/// The one of this level that finds most.
const Measurement& worst_of(const std::vector<Measurement>& measurements, Level level);

}  // namespace facemae
