#pragma once
// Pictures in memory as batches on the training device, and what augments them: pure functions of ordinals.
#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

namespace facemae {

inline constexpr std::int64_t kFaceSide = 112;  ///< of what recognition networks take

/// Rows of pictures [P, 3, H, W] uint8 as [b, 3, side, side] float32 in [-1, 1]; `side` 0 keeps theirs, another one
/// is resized to (bilinear, antialiased).
torch::Tensor picture_batch(const torch::Tensor& pictures, std::span<const std::int64_t> rows,
                            std::int64_t side, torch::Device device);
torch::Tensor resized(const torch::Tensor& images, std::int64_t side);

/// Mirrors the images whose ordinal says so: a picture and its photo alike.
torch::Tensor mirrored(const torch::Tensor& images, std::span<const std::uint64_t> ordinals,
                       std::uint64_t seed);

/// What is drawn for one ordinal of an attacker's training: stages of Purpose::Augment that nothing else has.
enum class LessonDraw : std::uint64_t { ReleasedColours = 100, PhotoColours = 101, Photo = 102 };
std::uint64_t lesson_key(std::uint64_t seed, LessonDraw draw, std::uint64_t ordinal);

/// Another camera for every image: gain of each channel within 0.85 .. 1.15, offset within +-0.1.
torch::Tensor recoloured(const torch::Tensor& images, std::span<const std::uint64_t> ordinals,
                         std::uint64_t seed, LessonDraw draw);

}  // namespace facemae
