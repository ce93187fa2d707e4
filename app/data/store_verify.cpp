// facemae store verify: re-reads a store over the ranks, and restores what is bad from a copy.
#include "data/upkeep/store_verify.h"

#include "app/data/store_verbs.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

nlohmann::ordered_json json_of(const VerifyReport& report, const std::vector<std::string>& restored) {
  nlohmann::ordered_json json = {{"bad", nlohmann::json::array()},
                                 {"bad_files", nlohmann::json::array()},
                                 {"strays", nlohmann::json::array()},
                                 {"restored", restored}};
  for (const auto& image : report.images)
    json["bad"].push_back(
        {{"shard", image.shard}, {"row", image.row}, {"index", image.index}, {"reason", image.reason}});
  for (const auto& file : report.files)
    json["bad_files"].push_back({{"file", (file.folder / file.file).string()}, {"reason", file.reason}});
  for (const auto& path : report.strays) json["strays"].push_back(path.string());
  return json;
}

/// What all ranks found, on the root.
nlohmann::ordered_json gathered(Control& control, const nlohmann::ordered_json& mine) {
  nlohmann::ordered_json all = json_of({}, {});
  // Names may be no UTF-8, which JSON must be.
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  for (const auto& text : control.gather(mine.dump(-1, ' ', false, replace))) {
    const auto part = nlohmann::ordered_json::parse(text);  // must outlive items()
    for (const auto& [key, found] : part.items())
      for (const auto& entry : found) all[key].push_back(entry);
  }
  return all;
}

void print(const nlohmann::ordered_json& all) {
  const auto text = [](const auto& value) { return value.template get<std::string>(); };
  for (const auto& file : all["bad_files"]) fmt::print("{}: {}\n", text(file["file"]), text(file["reason"]));
  for (const auto& image : all["bad"])
    fmt::print("{} index {} (row {}): {}\n", text(image["shard"]), image["index"].get<std::uint64_t>(),
               image["row"].get<std::uint64_t>(), text(image["reason"]));
  for (const auto& path : all["strays"]) fmt::print("{}: belongs to no store (no fault)\n", text(path));
  for (const auto& name : all["restored"]) fmt::print("{}: restored\n", text(name));
  fmt::print("{} file(s) and {} image(s) are bad\n", all["bad_files"].size(), all["bad"].size());
}

}  // namespace

ExitCode store_verify(App& app, Words words) {
  std::vector<std::string> what;
  std::string other;
  Options options(
      "Re-reads every byte of a store and names each bad image and file; ends with 65 when there is one.",
      "store verify STORE [OPTIONS]");
  options.positional("STORE", what, "the store, or a view: its parent is read too", 1).at_most(1);
  options.group("Verify").add(
      "repair-from", other, "another copy of the same store: what is bad is restored from it, and verified");
  options.epilogue(
      "Shards are shared out over the ranks. Files are replaced at once or not at all.\n"
      "Examples:  mpirun -n 8 facemae store verify faces --json report.json\n"
      "           facemae store verify faces --repair-from /backup/faces");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  Control& control = app.world({.device = "cpu"}).control();
  VerifyReport report;
  std::vector<std::string> restored;
  const Path folder = what[0];
  OutputLocks locks("store verify");
  together(control, [&] {
    if (!other.empty() && control.is_root() && std::filesystem::is_directory(folder))
      locks.folder("STORE", folder);
    if (!other.empty() && control.is_root() && repair_manifest(real_files(), folder, other))
      restored.emplace_back("manifest.h5 and the files beside it");
  });
  together(control,
           [&] { report = verify_store(folder, control.rank(), control.size(), control.is_root()); });
  // Each rank restores its share: of one store, not of its own.
  if (!other.empty() && !control.all_agree(report.good()))
    require_shared(control, real_files(), folder, "the store " + what[0]);
  together(control, [&] {
    if (other.empty() || report.good()) return;
    RepairResult result = repair_store(real_files(), folder, other, report);
    result.still.strays = std::move(report.strays);
    report = std::move(result.still);
    restored.insert(restored.end(), result.restored.begin(), result.restored.end());
  });
  const auto all = gathered(control, json_of(report, restored));
  if (control.is_root()) print(all);
  app.result(all);
  return control.all_agree(report.good()) ? ExitCode::Done : ExitCode::BadData;
}

}  // namespace facemae
