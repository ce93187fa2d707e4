#include "trainer/release/audit_release.h"

#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/files/owner_files.h"
#include "core/log.h"
#include "core/program_version.h"
#include "core/text.h"
#include "data/release/release.h"
#include "evaluation/attacks/audit.h"
#include "evaluation/report/audit_report.h"
#include "evaluation/report/utility.h"
#include "trainer/apply/models.h"
#include "trainer/apply/stored_images.h"

namespace facemae {
namespace {

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
  if (link.is_blend())
    throw ConfigError(
        "--released is a blend: its pictures have several originals each, and this audit looks for one; the quick audit that `facemae reconstruct` prints at its end looks for people");
  AuditInput input{.released = load_images(released, all_rows(released)),
                   .real = load_images(real, all_rows(real))};
  for (const auto row : link.source_rows) input.mate.push_back(static_cast<std::int64_t>(row));
  for (std::uint64_t row = 0; row < real.size(); ++row) {
    const std::int64_t person = real.label(row);  // an image without identity is of nobody known
    input.real_identity.push_back(person < 0 ? -1 - static_cast<std::int64_t>(row) : person);
  }
  return input;
}

std::vector<NamedEmbedder> load_embedders(const std::vector<std::string>& paths, torch::Device device) {
  std::vector<NamedEmbedder> embedders;
  for (const auto& path : paths) {
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

void write_report(FileSystem& files, const Path& folder, const Report& report) {
  write_durably(files, folder / "report.html", to_html(report));
  write_durably(files, folder / "report.json", to_json(report).dump(2) + "\n");
}

}  // namespace

Report audit_release(const AuditConfig& config, torch::Device device, const std::function<void()>& claim) {
  FileSystem& files = config.pictures == "all" ? owner_files() : real_files();  // real faces
  make_folders(files, config.report);
  claim();
  Report report{.title = "Linkage audit of a rebuilt face set"};
  // Read first: a mistake shows before the attacks, which take longer.
  if (!config.utility.empty()) report.tables.push_back(utility_table(config.utility));
  const auto real = Store::open(config.real), released = Store::open(config.released);
  const ReleaseLink link = read_link(config.link, released->dataset_digest().hex());
  const AuditInput input = load_input(*real, *released, link);
  spdlog::info("auditing {} of {} rebuilt faces against {} real ones, {} embedder(s)",
               std::min<std::int64_t>(config.max_probes, input.released.size(0)), released->size(),
               real->size(), config.embedders.size());
  report.attacks = audit(input, {.embedders = load_embedders(config.embedders, device),
                                 .max_probes = config.max_probes,
                                 .seed = config.seed});
  report.warning = audit_warning(real->source_licence().find("synthetic") != std::string::npos,
                                 report.attacks.front().released.same_image.people);
  report.facts = {{"released images", human_count(released->size())},
                  {"real images (gallery)", human_count(real->size())},
                  {"identities", std::to_string(real->identities())},
                  {"release digest", released->dataset_digest().hex()},
                  {"software", "facemae " + program_version()}};
  if (!config.note.empty()) report.facts.emplace_back("note", config.note);
  report.pictures = report_pictures(input, config.pictures, config.seed);
  write_report(files, config.report, report);
  return report;
}

}  // namespace facemae
