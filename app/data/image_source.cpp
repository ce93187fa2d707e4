#include "app/data/image_source.h"

#include "core/error.h"
#include "core/kinds.h"
#include "data/pack/pack_catalogue.h"
#include "data/source/listing.h"

namespace facemae {
namespace {

const SourceKind& kind_of_source(const std::string& name) {
  return row_of(source_kinds(), name, "choosing the source of images");
}

}  // namespace

void SourceOptions::declare(Options& options) {
  options.choice("from", from, source_kinds(), "kind of source")
      .require("in", in, "one or several folders, archives or lists, packed as one set; one .rec")
      .add("root", root, "folder that the paths of a list begin at; default: the list's own")
      .flag(
          "nested", rules.nested,
          "images in folders of an identity's folder (ann/video1/1.jpg) are its images, too; with --from folder")
      .flag("skip-empty", rules.skip_empty, "pass over identity folders without images; with --from folder")
      .add(
          "landmarks", landmarks,
          "file with five points of each face: images are moved to the 112 x 112 ArcFace position and encoded again");
}

void SourceOptions::check(Options& options) const {
  const SourceKind& kind = kind_of_source(from);
  const std::string why = kind.only_one;
  options.check(why.empty() || in.size() <= 1, "--from " + from + " takes one --in: " + why);
  const auto expect = [&](bool given, bool SourceKind::*has, const std::string& option) {
    std::vector<std::string> owners;
    for (const auto& each : source_kinds())
      if (each.*has) owners.emplace_back(each.name);
    options.check(!given || kind.*has, option + " belongs to --from " + join(owners, " or "));
  };
  expect(!root.empty(), &SourceKind::has_root, "--root");
  expect(rules.nested, &SourceKind::has_rules, "--nested");
  expect(rules.skip_empty, &SourceKind::has_rules, "--skip-empty");
}

SourcePlaces SourceOptions::places() const {
  return {.in = {in.begin(), in.end()}, .root = root, .rules = rules};
}

void SourceOptions::list(const Path& out) {
  read_landmarks();  // first: a mistake in it shows before the images are listed, which takes longer
  list_for_pack(real_files(), out, kind_of_source(from), places());
}

std::unique_ptr<ImageSource> SourceOptions::open(const Path& out, bool first) {
  return aligned(open_for_pack(out, kind_of_source(from), places()), first);
}

std::unique_ptr<ImageSource> SourceOptions::open_alone() {
  read_landmarks();
  return aligned(listed_source(kind_of_source(from), places()), true);
}

void SourceOptions::read_landmarks() {
  if (!landmarks.empty() && !points_) points_ = Landmarks::read(landmarks);
}

std::unique_ptr<ImageSource> SourceOptions::aligned(std::unique_ptr<ImageSource> source, bool check) {
  read_landmarks();
  return points_ ? aligned_source(std::move(source), std::move(*points_), check) : std::move(source);
}

std::string SourceOptions::names() { return join(names_of(source_kinds()), "|"); }

std::string SourceOptions::help() {
  return "Labels count the identities sorted by name (by number in rec, and in a list of numbers).\n"
         "Landmarks: lines of an image's name (<identity>/<image>, or the file name) and ten numbers, x and y of left "
         "eye, right eye, nose, left and right mouth corner as seen in the picture: list_landmarks_align_celeba.txt or "
         ".csv of CelebA, loose_landmark_train.csv of VGGFace2, ldmk_5points.csv of CVLface (with --from rec), and others with such "
         "columns. Without them images must be aligned already.\n"
         "Lists and landmarks may be CSV, with quotes and headers; docs/FORMATS.md has all forms (\"Sources\").\n";
}

}  // namespace facemae
