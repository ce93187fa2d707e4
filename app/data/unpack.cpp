// facemae unpack: a store to folders of images, a .rec or tars.
#include "data/upkeep/unpack.h"

#include "app/command.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/log.h"
#include "core/text.h"
#include "data/upkeep/unpack_tars.h"

namespace facemae {

namespace {

constexpr Named<UnpackTo> kFormats[] = {
    {"folder", UnpackTo::Folder, "OUT/<identity>/<number>.jpg or .png"},
    {"rec", UnpackTo::Rec,
     "OUT/train.rec, train.idx, train.lst and property, as InsightFace reads them: a header record, images by identity, "
     "a record for each identity. Sets that float32 cannot count (more than 16,777,215 images and identities) are "
     "written plainly, as MXNet's im2rec does"},
    {"tar", UnpackTo::Tar,
     "WebDataset: <identity>/<row>.jpg and <identity>/<row>.cls (the label), in the store's shuffled order. "
     "OUT is one tar or, with numbers in braces, that many of equally many images: 'faces-{000000..000870}.tar', which "
     "is also how WebDataset names them. Shards are written by all ranks, with equal bytes for any number; after a kill "
     "the same command keeps those that are finished"},
};

/// All ranks.
nlohmann::ordered_json unpack_shards(App& app, const std::string& store_folder, const Path& out) {
  Control& control = app.world({.device = "cpu"}).control();
  OutputLocks locks("unpack");
  std::shared_ptr<const Store> store;
  together(control, [&] {
    store = Store::open(store_folder);
    if (!control.is_root()) return;
    make_folders(real_files(), std::filesystem::absolute(out).parent_path());
    locks.whole("--out", out);
    begin_shards(*store, out, real_files());
  });
  require_shared(control, real_files(), std::filesystem::absolute(out).parent_path(),
                 "--out " + out.string());
  ShardsWritten mine;
  together(control, [&] {
    mine = write_shards(*store, out, real_files(), control.rank(), control.size(), control.is_root());
  });
  together(control, [&] {
    if (control.is_root()) finish_shards(out, real_files());
  });
  ShardsWritten all;
  for (const auto& text :
       control.gather(nlohmann::json{mine.images, mine.bytes, mine.shards, mine.kept}.dump())) {
    const auto part = nlohmann::json::parse(text);
    all.images += part[0].get<std::uint64_t>();
    all.bytes += part[1].get<std::uint64_t>();
    all.shards += part[2].get<std::uint64_t>();
    all.kept += part[3].get<std::uint64_t>();
  }
  if (control.is_root())
    spdlog::info("{}: {} images in {} shards, {}{}", out.string(), human_count(all.images), all.shards,
                 human_bytes(all.bytes),
                 all.kept > 0 ? fmt::format("; {} shards were written by an earlier start", all.kept) : "");
  return {{"images", store->size()},
          {"identities", store->identities()},
          {"shards", all.shards + all.kept},
          {"kept_shards", all.kept},
          {"bytes", all.bytes}};
}

nlohmann::ordered_json unpack_whole(App& app, const std::string& store_folder, UnpackTo format,
                                    const std::string& out) {
  app.alone("unpack");
  OutputLocks locks("unpack");
  locks.whole("--out", out);
  const auto result = unpack(*Store::open(store_folder), format, out, real_files());
  spdlog::info("{}: {} images of {} identities, {}, in {}", out, human_count(result.images),
               result.identities, human_bytes(result.bytes), human_seconds(result.seconds));
  return {{"images", result.images},
          {"identities", result.identities},
          {"bytes", result.bytes},
          {"seconds", result.seconds}};
}

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
      .require("out", out, "new folder (for folder and rec) or new file or files (for tar)");
  options.epilogue(
      "The numbers are new: of the names of files a store keeps a hash only, so they are lost for good. Identities of a "
      "released store are called by their labels; images without an identity are put in \"unlabelled\".\n"
      "Everything but the shards of a WebDataset is written by one rank.\n\n"
      "Examples:  facemae unpack --store casia --to rec --out casia-rec\n"
      "           facemae unpack --store rebuilt --to tar --out rebuilt.tar\n"
      "           mpirun -n 16 facemae unpack --store webface --to tar --out 'web/face-{000000..000870}.tar'");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!to.empty(), "--to is missing: " + join(names_of(kFormats), ", "));
  if (!options.finish()) return ExitCode::Done;
  const UnpackTo format = row_of(kFormats, to, "choosing the format").value;
  const bool shards = format == UnpackTo::Tar && names_shards(out);
  app.result(shards ? unpack_shards(app, store_folder, out) : unpack_whole(app, store_folder, format, out));
  return ExitCode::Done;
}

}  // namespace facemae
