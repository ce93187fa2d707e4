#include "data/release/release_text.h"

#include "core/log.h"

namespace facemae {
namespace {

std::string what_it_is(const ReleaseNotes& notes) {
  if (!notes.baseline.empty())
    return notes.baseline_text + "\nIt was made to be compared with rebuilt faces, not to be published.";
  if (!notes.code.empty())
    return "Every image in this store is the output of a decoder that saw the mean code of several real images of a class, and two patches of an image of somebody else.";
  if (!notes.blend)
    return "Every image in this store is the output of a decoder that saw only the unmasked patches of a real image.";
  return fmt::format(
      "Every image in this store is the output of a decoder that saw means of tokens of {} masked real images, of {} each.",
      notes.blend->images,
      notes.blend->people == 1 ? "one person" : fmt::format("{} people", notes.blend->people));
}

/// Rows of the table.
std::string rows_of(const ReleaseNotes& notes, const StoreManifest& manifest, const std::string& partition) {
  if (!notes.blend) return "";
  const Blend& blend = *notes.blend;
  std::string rows = fmt::format(
      "| people in each class (K) | {} |\n| photos in each image (M) | {} |\n"
      "| people that a patch needs (Q) | {} |\n| classes | {} |\n| people of the source left out | {} |\n",
      blend.people, blend.images, blend.min_people, manifest.identities, notes.people_left_out);
  if (!partition.empty()) rows += fmt::format("| digest of the partition | {} |\n", partition);
  return rows;
}

/// What a blend promises, and what it does not.
std::string promise_of(const Blend& blend) {
  if (blend.people == 1)
    return "Every class is one person, in images that are means of that person's own photos: it is easier to find "
           "the person than in images of one photo each (docs/METHOD.md, \"People blend\").\n\n";
  return fmt::format(
      "Anonymity among {0} people: every class is a group of {0}, and every image is made of as many photos of each of "
      "them, so whoever finds the class of a person has found one of {0}. "
      "Membership is not hidden: whether a person is in this store may be found out. "
      "Two partitions of the same people would give them away, so they are released in this one alone.\n\n",
      blend.people);
}

std::string counts_of(const ReleaseNotes& notes, const StoreManifest& manifest) {
  if (notes.blend)
    return fmt::format("Every class has {} images.",
                       manifest.images / static_cast<std::uint64_t>(manifest.identities));
  return notes.images_per_identity == 0
             ? "Each identity has as many images as in the source, which may reveal who it is."
             : fmt::format("Every identity has {} images.", notes.images_per_identity);
}

}  // namespace

std::string release_text(const StoreManifest& manifest, const ReleaseNotes& notes,
                         const std::string& partition) {
  const std::string made =
      notes.baseline.empty()
          ? fmt::format("| mask ratio | {} |\n| model hash | {} |\n", notes.mask_ratio, notes.model_hash)
          : fmt::format("| made by | --baseline {} |\n", notes.baseline);
  return fmt::format(
      "# {}\n\n{}\n\n"
      "**{}; treat as personal data until a qualified person decides otherwise.**\n\n{}"
      "| | |\n|---|---|\n"
      "| images | {} |\n| identities | {} |\n| image size | {} x {} |\n{}"
      "| software version | {} |\n| dataset digest | {} |\n| policy | {} |\n{}\n"
      "Labels are renumbered and images reordered in a way that only the secret of the release reveals. "
      "Of originals that are equal byte for byte, only one was used. "
      "Names, paths, times and the order of the source are not in the files. {}\n\n"
      "{}## Licence of the source\n\n{}\n",
      notes.baseline.empty() ? "Rebuilt faces" : "Faces of a simple defence", what_it_is(notes),
      notes.code.empty() ? "No formal privacy guarantee"
                         : "No privacy guarantee beyond what is said below of codes",
      notes.blend ? promise_of(*notes.blend) : "", manifest.images, manifest.identities, manifest.image_size,
      manifest.image_size, made, notes.software_version, manifest.dataset_digest.hex(),
      notes.policy.empty() ? "none" : notes.policy, rows_of(notes, manifest, partition),
      counts_of(notes, manifest), notes.code,
      notes.source_licence.empty() ? "not stated" : notes.source_licence);
}

}  // namespace facemae
