// facemae audit: how far rebuilt faces can be linked to the real ones.
#include "evaluation/audit.h"

#include <torch/torch.h>

#include <numeric>
#include <optional>

#include "app/command.h"
#include "app/output_locks.h"
#include "core/files/owner_files.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "core/text.h"
#include "data/release/release.h"
#include "evaluation/intervals.h"
#include "model/common/pixels.h"
#include "trainer/apply/models.h"
#include "trainer/apply/stored_images.h"

namespace facemae {
namespace {

struct AuditConfig {
  std::string real, released, link, report, pictures = "released", device = "auto";
  std::string note;
  std::vector<std::string> embedders, utility;
  std::int64_t max_probes = 2000;
  std::uint64_t seed = 0;
};

/// Rows 0..n-1.
std::vector<std::uint64_t> all_rows(const Store& store) {
  std::vector<std::uint64_t> rows(store.size());
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  return rows;
}

AuditInput load_input(const Store& real, const Store& released, const ReleaseLink& link) {
  if (link.source_digest != real.dataset_digest().hex())
    throw ConfigError("--real is not the store that was rebuilt: its digest is " +
                      real.dataset_digest().hex() + ", the link says " + link.source_digest);
  if (link.released_digest != released.dataset_digest().hex())
    throw ConfigError("--link belongs to another release: its digest is " + link.released_digest +
                      ", --released has " + released.dataset_digest().hex());
  AuditInput input{.released = load_images(released, all_rows(released)),
                   .real = load_images(real, all_rows(real))};
  for (const auto row : link.source_rows) input.mate.push_back(static_cast<std::int64_t>(row));
  for (std::uint64_t row = 0; row < real.size(); ++row) {
    const std::int64_t person = real.label(row);  // an image without identity is of nobody known
    input.real_identity.push_back(person < 0 ? -1 - static_cast<std::int64_t>(row) : person);
  }
  return input;
}

std::vector<NamedEmbedder> load_embedders(const AuditConfig& config, torch::Device device) {
  std::vector<NamedEmbedder> embedders;
  for (const auto& path : config.embedders) {
    const Weights weights = read_weights(path);
    const auto network = network_from(weights);
    network->to(device);
    embedders.push_back(
        {network_name_of(weights) + " (" + Path(path).filename().string() + ", " +
             weights.hash.substr(0, 16) + ")",
         [network, device](const torch::Tensor& images) {
           torch::NoGradGuard no_grad;
           const auto faces = images.to(device);
           return (network->forward(faces) + network->forward(faces.flip({3}))).to(torch::kCPU);
         }});
  }
  return embedders;
}

Image picture(const torch::Tensor& image) {  // [3, H, W] uint8
  const auto rows = image.permute({1, 2, 0}).contiguous();
  const auto* data = rows.data_ptr<std::uint8_t>();
  return {static_cast<int>(rows.size(1)), static_cast<int>(rows.size(0)), {data, data + rows.numel()}};
}

/// A number of `set` as text; "-" for what could not be measured (JSON has no NaN, so it is null there).
std::string figure_or_dash(const nlohmann::json& set, const char* name, double scale, int digits,
                           const char* unit) {
  const auto found = set.find(name);
  if (found == set.end() || !found->is_number()) return "-";
  return fmt::format("{:.{}f}{}", scale * found->get<double>(), digits, unit);
}

/// Results of `facemae evaluate --json`, as a table beside the leakage. Arguments are NAME=FILE.
Report::Table utility_table(const std::vector<std::string>& arguments) {
  Report::Table table{
      .heading = "Utility: verification of held-out people",
      .note = "Recognition trained on each set, tested on real pairs that no training has seen.",
      .columns = {"trained on", "accuracy", "std over folds", "AUC", "EER"},
      .rows = {}};
  for (const auto& argument : arguments) {
    const auto equals = argument.find('=');
    nlohmann::json result;
    if (equals != std::string::npos)
      result = nlohmann::json::parse(read_file(argument.substr(equals + 1)), nullptr, false);
    if (!result.is_object() || !result.contains("sets") || !result["sets"].is_array() ||
        result["sets"].empty())
      throw ConfigError("--utility " + argument +
                        " is not NAME=FILE with a file that `facemae evaluate --json` wrote");
    for (const auto& set : result["sets"])
      table.rows.push_back({argument.substr(0, equals), figure_or_dash(set, "accuracy", 100, 2, " %"),
                            figure_or_dash(set, "accuracy_std", 100, 2, ""),
                            figure_or_dash(set, "auc", 1, 4, ""), figure_or_dash(set, "eer", 100, 2, " %")});
  }
  return table;
}

void print_summary(const Report& report) {
  for (const auto& table : report.tables) {
    fmt::print("\n{}\n", table.heading);
    for (const auto& row : table.rows)
      fmt::print("  trained on {:<24} accuracy {} +- {}  AUC {}  EER {}\n", row[0], row[1], row[2], row[3],
                 row[4]);
  }
  fmt::print(
      "\nLeakage: rebuilt face -> its original, rank 1, by {} people (controls: mosaics of the real faces instead of rebuilt ones)\n",
      report.attacks.front().released.same_image.people);
  for (const auto& attack : report.attacks) {
    const auto& figure = attack.released.same_image.rank1;
    const std::string what = attack.control.empty()
                                 ? attack.released.attacker
                                 : "control " + attack.control + ": " + attack.released.attacker;
    fmt::print("  {:<52} {:5.1f} %  (95 % {:.1f} to {:.1f}; chance {:.2f}, ceiling {:.1f})\n", what,
               100 * figure.value, 100 * figure.low, 100 * figure.high,
               100 * attack.released.same_image.chance_rank1, 100 * attack.ceiling.same_image.rank1.value);
  }
}

/// A fixed draw of released pictures, beside their originals only when asked for.
std::vector<ReportPicture> report_pictures(const AuditInput& input, const AuditConfig& config) {
  std::vector<ReportPicture> pictures;
  if (config.pictures == "none") return pictures;
  const auto count = static_cast<std::uint64_t>(input.released.size(0));
  const Permutation draw(count, key_of(config.seed, Purpose::Audit));
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(12, count); ++i) {
    const auto row = static_cast<std::int64_t>(draw(i));
    pictures.push_back({"rebuilt", picture(input.released[row])});
    if (config.pictures == "all")
      pictures.push_back({"original", picture(input.real[input.mate[static_cast<std::size_t>(row)]])});
  }
  return pictures;
}

}  // namespace

ExitCode run_audit(App& app, Words words) {
  AuditConfig config;
  Options options(
      "Measures how far rebuilt faces can be linked to the real ones: a pixel attacker that needs no network, and face embedders. "
      "Every figure stands beside chance, a real-to-real ceiling and a 95 % interval. "
      "Low figures are no proof of privacy: stronger attackers exist. "
      "Works on one rank, with both stores in memory (37 KB an image of 112 x 112): for larger ones rebuild and audit a `store subset`.",
      "audit --real STORE --released STORE --link PRIVATE_DIR --report DIR [OPTIONS]");
  options.group("Audit")
      .require("real", config.real, "store that was rebuilt")
      .require("released", config.released, "store that `facemae reconstruct` made of it")
      .require("link", config.link, "private folder of that release")
      .require("report", config.report, "folder for report.html and report.json")
      .add("embedder", config.embedders,
           "recognition networks that attack: RUN, a checkpoint, or safetensors with metadata")
      .add("max-probes", config.max_probes, "rebuilt pictures that are tried, drawn at random")
      .at_least(1)
      .add("utility", config.utility,
           "NAME=FILE of `facemae evaluate --json`: accuracies to show beside the leakage")
      .add("note", config.note, "sentence for the top of the report")
      .choice("pictures", config.pictures, {"none", "released", "all"},
              "pictures in the report; all shows real faces too, in files that only you may read")
      .add("seed", config.seed, "seed for the draw and for the intervals")
      .choice("device", config.device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = config.device});
  if (world.topology().size > 1)
    throw ConfigError("`facemae audit` works on one rank: start it without mpirun or srun");

  OutputLocks locks("audit");
  FileSystem& files = config.pictures == "all" ? owner_files() : real_files();  // real faces
  make_folders(files, config.report);
  locks.folder("--report", config.report);
  std::optional<Report::Table> utility;  // read first: a mistake shows before the attacks, which take longer
  if (!config.utility.empty()) utility = utility_table(config.utility);
  const auto real = Store::open(config.real), released = Store::open(config.released);
  const ReleaseLink link = read_link(config.link, released->dataset_digest().hex());
  const AuditInput input = load_input(*real, *released, link);
  spdlog::info("auditing {} of {} rebuilt faces against {} real ones, {} embedder(s)",
               std::min<std::int64_t>(config.max_probes, input.released.size(0)), released->size(),
               real->size(), config.embedders.size());
  const auto attacks = audit(input, {.embedders = load_embedders(config, world.device()),
                                     .max_probes = config.max_probes,
                                     .seed = config.seed});

  Report report{
      .title = "Linkage audit of a rebuilt face set",
      .warning =
          "Attacks that fail here prove nothing: stronger attackers exist, and the rebuilt faces may be personal data until a qualified person decides otherwise. "
          "There is no formal privacy guarantee."};
  if (real->source_licence().find("synthetic") != std::string::npos)
    report.warning = "Procedural faces: these figures say nothing about people. " + report.warning;
  if (const auto people = attacks.front().released.same_image.people; people < kFewPeople)
    report.warning += fmt::format(
        " Only {} people were tried: with so few the intervals are wide, and say little of others.", people);
  report.facts = {{"released images", human_count(released->size())},
                  {"real images (gallery)", human_count(real->size())},
                  {"identities", std::to_string(real->identities())},
                  {"release digest", released->dataset_digest().hex()},
                  {"software", "facemae " + program_version()}};
  if (!config.note.empty()) report.facts.emplace_back("note", config.note);
  if (utility) report.tables.push_back(*utility);
  report.attacks = attacks;
  report.pictures = report_pictures(input, config);
  write_durably(files, Path(config.report) / "report.html", to_html(report));
  const nlohmann::json json = to_json(report);
  write_durably(files, Path(config.report) / "report.json", json.dump(2) + "\n");
  print_summary(report);
  spdlog::info("report: {}", (Path(config.report) / "report.html").string());
  app.result(nlohmann::ordered_json(json));
  return ExitCode::Done;
}

}  // namespace facemae
