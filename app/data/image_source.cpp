#include "app/data/image_source.h"

#include "core/error.h"

namespace facemae {

void SourceOptions::declare(Options& options) {
  options
      .choice("from", from, {"folder", "zip", "tar", "rec", "list"}, "what kind of source; see Sources below")
      .require("in", in, "one or several folders, archives or lists, packed as one set; one .rec")
      .add("root", root, "folder that the paths of a list begin at; default: the list's own")
      .add(
          "landmarks", landmarks,
          "file with five points of each face: images are moved to the 112 x 112 ArcFace position and encoded again");
}

void SourceOptions::check(Options& options) const {
  options.check(
      from != "rec" || in.size() <= 1,
      "--from rec takes one --in: class numbers of several .rec files need not mean the same people");
  options.check(root.empty() || from == "list", "--root belongs to --from list");
}

std::unique_ptr<ImageSource> SourceOptions::open(bool show_progress) const {
  const std::vector<Path> paths(in.begin(), in.end());
  // Read first: a mistake in it shows before the images are listed, which takes longer.
  std::optional<Landmarks> points;
  if (!landmarks.empty()) points = Landmarks::read(landmarks);
  std::unique_ptr<ImageSource> source;
  if (from == "zip") {
    source = zip_source(paths, show_progress);
  } else if (from == "tar") {
    source = tar_source(paths, show_progress);
  } else if (from == "rec") {
    source = rec_source(paths.at(0), show_progress);
  } else if (from == "list") {
    source = list_source(paths, root);
  } else {
    source = folder_source(paths);
  }
  return points ? aligned_source(std::move(source), std::move(*points)) : std::move(source);
}

std::string SourceOptions::help() {
  return "Sources:\n"
         "  folder  PATH/<identity>/<image>.jpg, .jpeg or .png\n"
         "  zip     the same names inside of archives, under any further folders; --in takes archives, or folders of\n"
         "          which all archives are taken. WebFace260M as delivered: put its folders 0 to 9 with their zips\n"
         "          (0_0.zip ...) below one folder and name it; nothing is unpacked. 0 alone is WebFace4M, 0 1 2 are\n"
         "          WebFace12M, all ten WebFace42M\n"
         "  tar     as zip; may be compressed (.tar.gz, .tgz, .tar.zst, .tar.xz, .tar.bz2, .tar.lz4)\n"
         "  rec     train.rec of MXNet or InsightFace, or the folder that holds it; train.idx is used if it is there\n"
         "  list    lines of \"path label\" or \"path,label\"; labels are numbers or names\n"
         "Labels count the identities sorted by name (by number in rec, and in a list of numbers).\n"
         "Landmarks: lines of an image's name (<identity>/<image>, or the file name) and ten numbers, x and y of left\n"
         "eye, right eye, nose, left and right mouth corner: list_landmarks_align_celeba.txt or .csv of CelebA,\n"
         "ldmk_5points.csv of CVLface (with --from rec). Without them images must be aligned already.\n";
}

}  // namespace facemae
