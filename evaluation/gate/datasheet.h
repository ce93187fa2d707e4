#pragma once
// The data sheet of a release, after the idea of Gebru et al. 2018 (arXiv 1803.09010): what the program knows is filled
// in, what only people can answer is left open.
#include <string>

namespace facemae {

struct Candidate;

/// Markdown. Questions that are left open are marked "**OPEN**", and counted at the top.
std::string datasheet(const Candidate& candidate, const std::string& verdict);

}  // namespace facemae
