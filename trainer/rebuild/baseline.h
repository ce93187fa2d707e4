#pragma once
// Simple defences to compare a release with: the pictures themselves, less clearly. Older than any network, and broken
// by attackers who learn them (McPherson, Shokri and Shmatikov 2016, arXiv 1609.00408).
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "trainer/rebuild/masked_faces.h"

namespace facemae {

enum class BaselineKind { Masked, Blur, Mosaic, Noise, Real };

struct Baseline {
  BaselineKind kind = BaselineKind::Real;
  double amount = 0;  ///< ratio | pixels | pixels | grey levels of 255 | -
  std::string name;   ///< as it was given: "mosaic:8"
  int patch = 16;     ///< pixels, of Masked
};
/// "masked:R" | "blur:SIGMA" | "mosaic:BLOCK" | "noise:SIGMA" | "real". Throws ConfigError with what fits.
Baseline baseline_from(const std::string& text);
/// "NAME:AMOUNT, what it does" of all, for --help.
std::string baseline_help();
/// A sentence about its pictures for RELEASE.md.
std::string baseline_text(const Baseline& baseline);

/// Throws ConfigError when the patches of Masked do not divide images of `side`.
void check_baseline(const Baseline& baseline, int side);

/// Encoded pictures of source rows, in order. What is random follows from config.mask_key and the encoded image, so a
/// face has one mask and one noise, wherever it is. Throws DataError naming the row. `advance` counts done images.
std::vector<std::vector<std::byte>> baseline_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                                  const Baseline& baseline, const RebuildConfig& config,
                                                  const std::function<void(std::size_t)>& advance);

}  // namespace facemae
