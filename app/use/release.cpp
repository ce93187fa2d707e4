// facemae release: the verdict of a policy on an audited release, and the folder that may leave the house.
#include "data/release/release.h"

#include <chrono>

#include "app/command.h"
#include "app/output_locks.h"
#include "core/log.h"
#include "core/text.h"
#include "evaluation/gate/release_package.h"

namespace facemae {
namespace {

std::string today() {
  const std::chrono::year_month_day day(
      std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                     static_cast<unsigned>(day.day()));
}

ExitCode code_of(Ruling ruling) {
  switch (ruling) {
    case Ruling::Pass:
      return ExitCode::Done;
    case Ruling::Fail:
      return ExitCode::ReleaseRefused;
    default:
      return ExitCode::ReleaseInconclusive;
  }
}

void write_policy(const std::vector<std::string>& words) {
  const std::string &name = words[0], &file = words[1];
  const auto& policy = row_of(built_in_policies(), name, "writing a policy");
  expect_place_for("write-policy", file);
  if (std::filesystem::exists(file))
    throw ConfigError("--write-policy " + file + " is there already: a policy is never written over");
  write_output(real_files(), file, std::string(policy.text));
  spdlog::info(
      "{}: the policy \"{}\", {}. Read it, change it, keep it: its digest is noted by `facemae reconstruct --policy {}`",
      file, policy.name, policy.help, file);
}

}  // namespace

ExitCode run_release(App& app, Words words) {
  PackageConfig config;
  std::string private_folder;
  std::vector<std::string> built_in;
  Options options(
      "Judges an audited release by a policy that was written before it was made, and packs it for recipients: PASS ends with 0, FAIL with 66, INCONCLUSIVE with 67. "
      "A requirement that was not measured, an attack whose controls do not work, and too few people are INCONCLUSIVE, never PASS. "
      "PASS means that the policy's attacks stayed below the policy's limits; it is no proof of privacy, and a person still decides.",
      "release --released STORE --private DIR --audit DIR --policy FILE --out DIR [OPTIONS]");
  options.group("Release")
      .add("released", config.released, "store that `facemae reconstruct --policy FILE` made")
      .add("private", private_folder,
           "private folder of that release: its ledger is read, nothing of it is packed")
      .add("audit", config.audit, "folder that `facemae audit --report` wrote about this very release")
      .add("policy", config.policy, "the same file that `reconstruct` was given (docs/PRIVACY.md)")
      .add("out", config.out, "folder to make: store, RELEASE.json, DATASHEET.md, report, SHA256SUMS")
      .add(
          "despite", config.despite,
          "reason for which a release that did not pass is packed all the same; the verdict and this reason stay on it, and the exit code stays that of the verdict")
      .add("responsible", config.responsible, "who answers for --despite")
      .group("Policy")
      .add("write-policy", built_in,
           "NAME FILE: write a policy to start from (public, research) and do nothing else");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  if (options.given("write-policy")) {
    options.check(built_in.size() == 2, "--write-policy takes two words, NAME and FILE");
  } else {
    for (const auto& [name, value] :
         std::initializer_list<std::pair<const char*, const std::string*>>{{"released", &config.released},
                                                                           {"private", &private_folder},
                                                                           {"audit", &config.audit},
                                                                           {"policy", &config.policy},
                                                                           {"out", &config.out}})
      options.check(!value->empty(), fmt::format("--{} is missing", name));
    options.check(config.despite.empty() == config.responsible.empty(),
                  "--despite and --responsible go together: a reason needs somebody who answers for it");
  }
  if (!options.finish()) return ExitCode::Done;
  app.alone("release");
  if (!built_in.empty()) {
    write_policy(built_in);
    return ExitCode::Done;
  }

  check_separate(private_folder, config.out);
  if (!std::filesystem::is_directory(private_folder))
    throw ConfigError("--private " + private_folder +
                      " is not there: give the folder that the release was made with");
  const PrivateFolder folder(private_folder);
  OutputLocks locks("release");
  locks.whole("--out", config.out);
  const Candidate candidate = judge_release(config, folder, today());
  fmt::print("{}", verdict_text(candidate.verdict));
  const bool packed = candidate.verdict.ruling == Ruling::Pass || !config.despite.empty();
  if (packed) {
    write_package(real_files(), config, candidate);
    spdlog::info("{}: {}", config.out, stated_verdict(candidate, config));
  } else {
    spdlog::info(
        "nothing was packed: --despite REASON --responsible NAME would do so, with the verdict on it");
  }
  nlohmann::ordered_json result = to_json(candidate.verdict);
  result["packed"] = packed;
  app.result(result);
  return code_of(candidate.verdict.ruling);
}

}  // namespace facemae
