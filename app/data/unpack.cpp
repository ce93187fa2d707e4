// facemae unpack: a store to folders of images, a .rec or a tar.
#include "data/upkeep/unpack.h"

#include "app/command.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

namespace {

constexpr Named<UnpackTo> kFormats[] = {
    {"folder", UnpackTo::Folder, "OUT/<identity>/<number>.jpg or .png"},
    {"rec", UnpackTo::Rec,
     "OUT/train.rec, train.idx, train.lst and property, as InsightFace reads them: a header record, images by identity, "
     "a record for each identity. Sets that float32 cannot count (more than 16,777,215 images and identities) are "
     "written plainly, as MXNet's im2rec does"},
    {"tar", UnpackTo::Tar,
     "WebDataset: <identity>/<row>.jpg and <identity>/<row>.cls (the label), in the store's shuffled order"},
};

}  // namespace

ExitCode run_unpack(App& app, Words words) {
  std::string store_folder, to, out;
  Options options(
      "Writes the images of a store, byte for byte, as other programs read them. "
      "The output is called --out only when it is complete: it is written under a temporary name beside it first.",
      "unpack --store STORE --to folder|rec|tar --out PATH [OPTIONS]");
  options.group("Images")
      .require("store", store_folder, "the store")
      .choice("to", to, kFormats, "format to write")
      .require("out", out, "new folder (for folder and rec) or new file (for tar)");
  options.epilogue(
      "The numbers are new: a store does not keep file names. Identities of a released store are called by their "
      "labels; images without an identity are put in \"unlabelled\".\n\n"
      "Examples:  facemae unpack --store casia --to rec --out casia-rec\n"
      "           facemae unpack --store rebuilt --to tar --out rebuilt.tar");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!to.empty(), "--to is missing: " + join(names_of(kFormats), ", "));
  if (!options.finish()) return ExitCode::Done;
  app.alone("unpack");
  const UnpackTo format = row_of(kFormats, to, "choosing the format").value;
  OutputLocks locks("unpack");
  locks.whole("--out", out);
  const auto result = unpack(*Store::open(store_folder), format, out, real_files());
  spdlog::info("{}: {} images of {} identities, {}, in {}", out, human_count(result.images),
               result.identities, human_bytes(result.bytes), human_seconds(result.seconds));
  app.result({{"images", result.images},
              {"identities", result.identities},
              {"bytes", result.bytes},
              {"seconds", result.seconds}});
  return ExitCode::Done;
}

}  // namespace facemae
