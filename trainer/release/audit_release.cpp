#include "trainer/release/audit_release.h"

#include <torch/torch.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/files/owner_files.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/signals.h"
#include "core/text.h"
#include "data/release/release.h"
#include "data/release/release_originals.h"
#include "evaluation/attacks/audit.h"
#include "evaluation/campaign/campaign.h"
#include "evaluation/linkage/features.h"
#include "evaluation/linkage/row_memory.h"
#include "evaluation/onnx/onnx_embedder.h"
#include "evaluation/report/audit_report.h"
#include "evaluation/report/utility.h"
#include "trainer/apply/models.h"
#include "trainer/apply/stored_images.h"
#include "trainer/release/audit_attacks.h"
#include "trainer/release/audit_embeddings.h"
#include "trainer/release/audit_target.h"

namespace facemae {
namespace {

/// Rows 0..n-1.
std::vector<std::uint64_t> all_rows(const Store& store) {
  std::vector<std::uint64_t> rows(store.size());
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  return rows;
}

AuditInput load_input(const Store& real, const Store& released, const ReleaseLink& link) {
  AuditInput input{.released = load_images(released, all_rows(released)),
                   .real = load_images(real, all_rows(real))};
  for (std::uint64_t row = 0; row < link.pictures(); ++row)
    input.mate.push_back(static_cast<std::int64_t>(link.sources_of(row).front()));
  for (std::uint64_t row = 0; row < real.size(); ++row) {
    const std::int64_t person = real.label(row);  // an image without identity is of nobody known
    input.real_identity.push_back(person < 0 ? -1 - static_cast<std::int64_t>(row) : person);
  }
  return input;
}

/// The same embedder, which computes nothing twice.
NamedEmbedder remembering(NamedEmbedder embedder) {
  return {std::move(embedder.name),
          [embed = std::move(embedder.embed), memory = std::make_shared<RowMemory>()](
              const torch::Tensor& images) { return memory->rows_of(images, embed); }};
}

NamedEmbedder embedder_of(const std::string& path, torch::Device device) {
  if (is_onnx(path)) return onnx_embedder(path);
  const Weights weights = read_weights(path);
  const auto network = network_at_work(weights, device);
  return {network_name_of(weights) + " (" + Path(path).filename().string() + ", " +
              weights.hash.substr(0, 16) + ")",
          [network, device](const torch::Tensor& images) {
            torch::NoGradGuard no_grad;
            const auto faces = images.to(device);
            return (network->forward(faces) + network->forward(faces.flip({3}))).to(torch::kCPU);
          }};
}

std::vector<NamedEmbedder> load_embedders(const std::vector<std::string>& paths, torch::Device device) {
  std::vector<NamedEmbedder> embedders;
  for (const auto& path : paths) embedders.push_back(remembering(embedder_of(path, device)));
  return embedders;
}

/// People of the attacker's own; nothing when no store of theirs was given.
std::optional<Lesson> own_lesson(const AuditConfig& config, const Store& audited) {
  const bool given[] = {!config.attacker_store.empty(), !config.attacker_released.empty(),
                        !config.attacker_link.empty()};
  if (!given[0] && !given[1] && !given[2]) return std::nullopt;
  if (!given[0] || !given[1] || !given[2])
    throw ConfigError(
        "--attacker-store, --attacker-released and --attacker-link belong together: a store, the release that was made of it, and that release's private folder");
  const auto real = Store::open(config.attacker_store), released = Store::open(config.attacker_released);
  expect_other_people(
      {"--attacker-store", *real}, {"--real", audited},
      "attackers may learn from other people only; without it half of the release teaches for the other half");
  const ReleaseLink link = read_link(config.attacker_link, released->dataset_digest().hex());
  check_link(*real, *released, link, {"--attacker-store", "--attacker-released", "--attacker-link"});
  return audit_target(*real, *released, link, nullptr, {.seed = config.seed}).target.lesson();
}

std::vector<std::int64_t> curve_of(const std::string& pairs) {
  std::vector<std::int64_t> sizes;
  for (const std::string& word : split(pairs, ',')) {
    const std::string number = trim(word);
    if (number.empty() || number == "all") continue;
    std::int64_t size = 0;
    const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), size);
    if (fault != std::errc() || end != number.data() + number.size() || size < 8)
      throw ConfigError("--pairs " + pairs +
                        ": numbers of at least 8 with commas are meant, such as 100,500, or all");
    sizes.push_back(size);
  }
  return sizes;
}

EmbeddingAuditConfig chosen_embeddings(const AuditConfig& config) {
  EmbeddingAuditConfig chosen{.embeddings = {}, .max_probes = config.max_probes, .seed = config.seed};
  for (const std::string& text : config.embeddings) chosen.embeddings.push_back(embedding_files(text));
  return chosen;
}

/// Unit features of released pictures by each embedder, for probes of attributes.
std::vector<std::pair<std::string, torch::Tensor>> embedded(const std::vector<NamedEmbedder>& embedders,
                                                            const torch::Tensor& released) {
  constexpr std::int64_t batch = 64;
  std::vector<std::pair<std::string, torch::Tensor>> all;
  for (const NamedEmbedder& embedder : embedders)
    all.emplace_back(embedder.name, features_in_batches(released, batch, embedder.embed));
  return all;
}

/// Those who look at several releases: who learnt from half of this one's people knows them.
Attackers impartial(Attackers attackers, bool learnt_elsewhere) {
  if (!learnt_elsewhere) std::erase_if(attackers, [](const auto& attacker) { return attacker->learns(); });
  return attackers;
}

/// All ranks: a notice to any of them ends the audit on all.
void stop_on_notice(Control& control) {
  if (!control.any_of(notice_received() != 0 ? 1 : 0)) return;
  throw AgreedError(
      "the audit was stopped by a notice: the same command begins it again, and trains no attacker anew that has learnt",
      ExitCode::Stopped, "stopped");
}

Findings attack(const AuditConfig& config, const AuditTarget& audited, const AttackSupplies& supplies,
                const std::optional<Lesson>& lesson, const AuditInput& input,
                std::vector<MetadataFindings::Cue>& metadata) {
  Attackers attackers;
  bool files = false;
  for (const AttackKind* kind : chosen_attacks(config)) {
    files = files || kind->files;
    if (kind->make == nullptr) continue;
    for (auto& attacker : kind->make(supplies)) attackers.push_back(std::move(attacker));
  }
  const bool on_plain = std::any_of(attackers.begin(), attackers.end(),
                                    [](const auto& attacker) { return tried_on_plain(attacker->facts()); });
  Findings found = attack_release(
      attackers, audited.target, lesson,
      {.pairs = curve_of(config.pairs),
       .seed = config.seed,
       .before_look = [&] { stop_on_notice(supplies.world.control()); },
       .plain = on_plain ? plain_release(config.further, audited.target, supplies.world.device(), config.seed)
                         : std::nullopt});
  if (files) {
    auto facts = metadata_attack(audited.released, audited.real, audited.target);
    metadata = std::move(facts.cues);
    found.add({.measurements = std::move(facts.measurements), .figures = {}, .controls = {}});
  }
  FurtherAttacks further = config.further;
  further.distractors = config.distractors;
  const Attackers others = impartial(std::move(attackers), lesson.has_value());
  found.add(further_attacks(
      supplies.world, further,
      {.real = config.real,
       .released = config.released,
       .link = config.link,
       .report = config.report,
       .attackers = others,
       .embedded = config.further.attributes.empty() ? std::vector<std::pair<std::string, torch::Tensor>>{}
                                                     : embedded(supplies.embedders, input.released),
       .seed = config.seed}));
  return found;
}

std::vector<std::pair<std::string, std::string>> facts_of(const AuditConfig& config, const Store& real,
                                                          const Store& released) {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"released images", human_count(released.size())},
      {"real images (gallery)", human_count(real.size())},
      {"identities", std::to_string(real.identities())},
      {"release digest", released.dataset_digest().hex()},
      {"software", "facemae " + program_version()}};
  if (!config.note.empty()) facts.emplace_back("note", config.note);
  return facts;
}

void write_report(FileSystem& files, const Path& folder, const Report& report) {
  write_durably(files, folder / "report.html", to_html(report));
  write_durably(files, folder / "report.json", to_json(report).dump(2) + "\n");
}

}  // namespace

void check_attacks(const AuditConfig& config) {
  chosen_attacks(config);
  curve_of(config.pairs);
}

Report audit_release(const AuditConfig& config, World& world, const std::function<void()>& claim) {
  Control& control = world.control();
  FileSystem& files = config.pictures == "all" ? owner_files() : real_files();  // real faces
  together(control, [&] {
    if (!control.is_root()) return;
    make_folders(files, config.report);
    claim();
  });
  Report report{.title = "Linkage audit of a rebuilt face set"};
  // Read first: a mistake shows before the attacks, which take longer.
  if (!config.utility.empty()) report.tables.push_back(utility_table(config.utility));
  chosen_attacks(config, control.is_root());
  curve_of(config.pairs);
  const EmbeddingAuditConfig embeddings = chosen_embeddings(config);
  const auto real = Store::open(config.real), released = Store::open(config.released);
  const ReleaseLink link = read_link(config.link, released->dataset_digest().hex());
  check_other_releases(config.further, config.real, config.link);
  const auto lesson = own_lesson(config, *real);
  const auto distractors = config.distractors.empty() ? nullptr : Store::open(config.distractors);
  if (distractors)
    expect_other_people(
        {"--distractors", *distractors}, {"--real", *real},
        "strangers who are in the release make its attackers look weak (people of --real who were not "
        "released are strangers without being named)");
  const auto embedders = load_embedders(config.embedders, world.device());
  const AuditTarget audited =
      audit_target(*real, *released, link, distractors.get(),
                   {.most_pictures = static_cast<std::uint64_t>(config.max_probes), .seed = config.seed});
  const AuditInput input = load_input(*real, *released, link);
  spdlog::info("auditing {} of {} rebuilt faces against {} real ones, {} embedder(s)",
               std::min<std::int64_t>(config.max_probes, input.released.size(0)), released->size(),
               real->size(), config.embedders.size());
  // Fixed attackers look for the one photo of a picture.
  if (!audited.blends)
    report.attacks =
        audit(input, {.embedders = embedders, .max_probes = config.max_probes, .seed = config.seed});
  report.findings =
      attack(config, audited, {config, world, embedders, input.real.size(2), input.real.size(3)}, lesson,
             input, report.metadata);
  if (!embeddings.embeddings.empty())
    report.findings.add(audit_embeddings(embeddings, *real, *released, link, control));
  if (const auto difference = difference_to_plain(config.utility))
    report.findings.figures.push_back(*difference);
  report.warning = audit_warning(real->synthetic(), audited.target.members);
  report.facts = facts_of(config, *real, *released);
  report.pictures = report_pictures(input, config.pictures, config.seed);
  together(control, [&] {
    if (control.is_root()) write_report(files, config.report, report);
  });
  return report;
}

Report audit_by_embeddings(const AuditConfig& config, Control& control, const std::function<void()>& claim) {
  std::shared_ptr<const Store> real, released;
  ReleaseLink link;
  EmbeddingAuditConfig embeddings;
  together(control, [&] {
    if (control.is_root()) {
      make_folders(real_files(), config.report);
      claim();
    }
    embeddings = chosen_embeddings(config);
    real = Store::open(config.real);
    released = Store::open(config.released);
    link = read_link(config.link, released->dataset_digest().hex());
    check_link(*real, *released, link);
  });
  Findings findings = audit_embeddings(embeddings, *real, *released, link, control);
  Report report{.title = "Linkage audit of a rebuilt face set by embeddings"};
  together(control, [&] {
    if (!control.is_root()) return;
    std::int64_t people = 0;
    for (const Measurement& found : findings.measurements)
      people = std::max(people, static_cast<std::int64_t>(found.tallies.size()));
    report.warning = audit_warning(real->synthetic(), people);
    report.facts = facts_of(config, *real, *released);
    report.findings = std::move(findings);
    write_report(real_files(), config.report, report);
  });
  return report;
}

}  // namespace facemae
