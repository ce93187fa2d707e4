#include "trainer/release/privacy_notes.h"

#include "core/log.h"
#include "evaluation/statistics/gaussian_privacy.h"

namespace facemae {

std::string privacy_notes(const std::optional<double>& mu, int width, std::uint64_t most_photos) {
  constexpr double delta = 1e-5, candidates = 1000;
  if (!mu) return "## Codes\n\nNo noise was added: there is no differential privacy.\n\n";
  const double person = *mu * static_cast<double>(most_photos);
  return fmt::format(
      "## Differential privacy of a photo\n\n"
      "| | |\n|---|---|\n"
      "| unit of privacy | one photo, replaced by any other; that it was there at all, and the number of photos of a person, are not hidden |\n"
      "| guarantee | {:g}-GDP (Gaussian differential privacy) |\n"
      "| epsilon at delta {:g} | {:.2f} |\n"
      "| anybody names the photo among {:g} equally likely ones | with a chance of {:.3g} at most |\n"
      "| mechanism | mean of codes of {} values, each of length 1 at most, and one draw of Gaussian noise per person |\n"
      "| sampler | discrete Gaussian (Canonne, Kamath and Steinke 2020) on a lattice of 2^-20, by ChaCha20 from the secret key |\n"
      "| composition | all pictures of a person are made of one noisy code; further releases of mu_i add up to sqrt(sum of mu_i^2) |\n"
      "| trust model | central: who made the release had the photos, and the secret key must stay private |\n"
      "| all photos of a person together | mu {:g} ({} photos at most){} |\n\n"
      "It holds when neither the model nor anything else that was published was made from these photos.\n\n",
      *mu, delta, epsilon_of(*mu, delta), candidates, rank1_bound(*mu, candidates), width, person,
      most_photos, person > 3 ? ": this protects no person" : "");
}

}  // namespace facemae
