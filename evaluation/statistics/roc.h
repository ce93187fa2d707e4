#pragma once
// The curve of true against false accepts, counted exactly over any number of pairs, and what is read off it.
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace facemae {

/// Scores of pairs of the same person and of different people, the smaller the more alike: distances, or similarities
/// with the sign changed. None is NaN.
template <class Score>
struct PairScores {
  std::vector<Score> same, different;
  void sort();  ///< in place; the functions below need it
};

/// What is accepted when all pairs up to a score are.
struct RocPoint {
  double score = 0;
  std::int64_t same = 0, different = 0;
};
using SeePoint = std::function<void(const RocPoint&)>;

/// One point for each score that occurs, ascending; memory does not grow with their number.
template <class Score>
void walk_roc(const PairScores<Score>& sorted, const SeePoint& see);
/// The rates of false accepts that are reported, as far as the impostors allow.
inline constexpr std::array kFars = {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
/// Does a single false accept among so many pairs of different people stay within the rate?
bool allows_far(std::int64_t different, double far);

struct TarAtFar {
  double far = 0;
  double tar =
      0;  ///< exact: the largest share of true accepts with a share of false accepts of at most `far`
  /// arcface_torch's: of the points that scikit-learn's roc_curve keeps (the first, the last, and those at which the step
  /// to the next point differs from the step before; and one of no accepts before them), the one whose share of false accepts is nearest to `far`, in
  /// float64; of equals the one with more true accepts.
  double nearest_tar = 0, nearest_far = 0;
};
/// For those of kFars that allows_far(); none without pairs of both kinds.
template <class Score>
std::vector<TarAtFar> tar_at_far(const PairScores<Score>& sorted);

/// Area under the curve by the trapezium rule, which counts ties half, and the rate at which the curve, with straight
/// pieces between its points, has as many false accepts as false rejects. Quotients of whole numbers; NaN without pairs
/// of both kinds.
struct RocAreas {
  double auc = 0, eer = 0;
};
template <class Score>
RocAreas roc_areas(const PairScores<Score>& sorted);

extern template struct PairScores<float>;
extern template struct PairScores<double>;
extern template void walk_roc(const PairScores<float>&, const SeePoint&);
extern template void walk_roc(const PairScores<double>&, const SeePoint&);
extern template std::vector<TarAtFar> tar_at_far(const PairScores<float>&);
extern template std::vector<TarAtFar> tar_at_far(const PairScores<double>&);
extern template RocAreas roc_areas(const PairScores<float>&);
extern template RocAreas roc_areas(const PairScores<double>&);

}  // namespace facemae
