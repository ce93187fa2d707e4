#include "trainer/release/audit_embeddings.h"

#include <algorithm>
#include <cstring>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "evaluation/embeddings/embedding_audit.h"

namespace facemae {
namespace {

ReleasePeople people_in(const Store& real, const Store& released, const ReleaseLink& link) {
  if (link.pictures() != released.size())
    throw ConfigError(
        fmt::format("--link is of {} pictures, the release has {}: is it the link of this release?",
                    link.pictures(), released.size()));
  ReleasePeople people{.people = real.identities(), .classes = released.identities()};
  for (std::uint64_t row = 0; row < real.size(); ++row) people.person_of_photo.push_back(real.label(row));
  std::vector<std::int64_t> sources;
  for (std::uint64_t row = 0; row < released.size(); ++row) {
    people.class_of_picture.push_back(released.label(row));
    const auto photos = link.sources_of(row);
    sources.assign(photos.begin(), photos.end());
    std::sort(sources.begin(), sources.end());
    sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
    people.photos_of_picture.add(sources);
  }
  complete(people);
  return people;
}

std::string bytes_of_standings(const std::vector<std::vector<Standing>>& standings) {
  std::string bytes;
  for (const auto& question : standings)
    bytes.append(reinterpret_cast<const char*>(question.data()), question.size() * sizeof(Standing));
  return bytes;
}

/// The standings of all probes, in their order, of what the ranks found of theirs.
std::vector<std::vector<Standing>> put_together(const std::vector<std::string>& parts,
                                                std::size_t questions) {
  std::vector<std::vector<Standing>> all(questions);
  for (const std::string& part : parts) {
    const std::size_t probes = part.size() / sizeof(Standing) / questions;
    for (std::size_t q = 0; q < questions; ++q) {
      const std::size_t before = all[q].size();
      all[q].resize(before + probes);
      if (probes > 0)
        std::memcpy(all[q].data() + before, part.data() + q * probes * sizeof(Standing),
                    probes * sizeof(Standing));
    }
  }
  return all;
}

}  // namespace

EmbeddingFiles embedding_files(const std::string& text) {
  const auto equals = text.find('='), comma = text.find(',', equals);
  if (equals == std::string::npos || equals == 0 || comma == std::string::npos)
    throw ConfigError(
        "--embedding " + text +
        ": NAME=REAL.npy,RELEASED.npy is expected: the embeddings of both stores, in the order of their rows");
  EmbeddingFiles files{text.substr(0, equals), text.substr(equals + 1, comma - equals - 1),
                       text.substr(comma + 1)};
  for (const Path& file : {files.real, files.released})
    if (!std::filesystem::is_regular_file(file))
      throw ConfigError("--embedding " + text + ": there is no file " + file.string() +
                        "; `facemae embed --store STORE --out FILE.npy` and numpy.save write such files");
  if (std::filesystem::equivalent(files.real, files.released))
    throw ConfigError(
        "--embedding " + text +
        ": both are one file; the embeddings of the real store and those of the released one are needed");
  return files;
}

Findings audit_embeddings(const EmbeddingAuditConfig& config, const Store& real, const Store& released,
                          const ReleaseLink& link, Control& control) {
  Findings findings;
  ReleasePeople people;
  together(control, [&] { people = people_in(real, released, link); });
  for (const EmbeddingFiles& files : config.embeddings) {
    std::vector<EmbeddingStage> stages;
    together(control, [&] {
      stages = embedding_stages(embeddings_in(files.real), embeddings_in(files.released), people,
                                {.max_probes = config.max_probes, .seed = config.seed});
    });
    for (const EmbeddingStage& stage : stages) {
      std::string mine;
      together(control, [&] {
        const std::int64_t first = first_probe_of(control.rank(), control.size(), stage.probes),
                           last = first_probe_of(control.rank() + 1, control.size(), stage.probes);
        Progress progress(files.name + ": " + stage.what, static_cast<std::uint64_t>(stage.gallery->rows()),
                          "gallery rows", control.is_root());
        mine = bytes_of_standings(stand_in(stage, first, last, [&](std::int64_t rows) {
          progress.advance(static_cast<std::uint64_t>(rows));
        }));
        progress.finish();
      });
      const auto parts = control.gather(mine);
      if (!control.is_root()) continue;
      for (auto& found : measurements_of(stage, put_together(parts, stage.asked.size()),
                                         "embeddings " + files.name, people.most_people_of_class)) {
        if (!found.control.empty() && !found.tallies.empty())
          findings.add(
              {{},
               {},
               verdicts({.id = found.attack, .name = found.attacker}, {found}, kOtherPhotosOfEmbedders)});
        findings.measurements.push_back(std::move(found));
      }
    }
  }
  return findings;
}

}  // namespace facemae
