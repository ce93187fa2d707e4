// The judgement of `facemae doctor` on made-up machines: nothing is wrong where nothing is, and each fault has its line.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cluster/doctor/report.h"
#include "cluster/host/gather.h"
#include "core/log.h"
#include "tests/unit/cluster/doctor/machines.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;

std::vector<Finding> loud(const Gathered& all) {
  auto findings = judge(all);
  std::erase_if(findings, [](const Finding& one) { return one.state <= State::Note; });
  return findings;
}

std::string all_text(const Gathered& all) {
  return report_text({.findings = judge(all), .measured = {}, .nodes = all.nodes().size()}, true);
}

TEST(Doctor, FindsNothingWrongWithHealthyMachines) {
  const auto machines = healthy_machines();
  EXPECT_GE(machines.size(), 15U);
  for (const auto& machine : machines) {
    const Gathered all = machine.make();
    std::vector<std::string> warned;
    for (const auto& finding : loud(all)) {
      EXPECT_EQ(finding.state, State::Warning) << machine.name << ": " << finding.id << " " << finding.text;
      warned.push_back(finding.id);
    }
    EXPECT_EQ(warned, machine.warns) << machine.name << "\n" << all_text(all);
    EXPECT_EQ(verdict(judge(all)), ExitCode::Done) << machine.name;
  }
}

TEST(Doctor, TellsEachFaultByItsLineAndHostsAndNothingElse) {
  const auto faults = planted_faults();
  EXPECT_GE(faults.size() + healthy_machines().size(), 60U);
  for (const auto& fault : faults) {
    const Gathered all = fault.make();
    const auto findings = loud(all);
    EXPECT_EQ(findings.size(), 1U) << fault.name << "\n" << all_text(all);
    if (findings.empty()) continue;
    const Finding& found = findings.front();
    EXPECT_EQ(found.id, fault.id) << fault.name;
    EXPECT_EQ(found.state, fault.state) << fault.name;
    EXPECT_THAT(found.hosts, UnorderedElementsAreArray(fault.hosts)) << fault.name;
    EXPECT_THAT(found.text, HasSubstr(fault.text)) << fault.name;
    EXPECT_NE(found.remedy, "") << fault.name;
  }
}

TEST(Doctor, HasAMachineForEachStateOfEachCheck) {
  std::set<std::pair<std::string, State>> covered;
  for (const auto& machine : healthy_machines())
    for (const auto& finding : judge(machine.make()))
      covered.insert({finding.id, finding.state == State::Note ? State::Ok : finding.state});
  for (const auto& fault : planted_faults()) covered.insert({fault.id, fault.state});
  for (const auto& check : all_checks()) {
    EXPECT_TRUE(covered.count({check.id, State::Ok})) << check.id << " is well nowhere";
    EXPECT_EQ(covered.count({check.id, State::Warning}), *check.warning == '\0' ? 0U : 1U)
        << check.id << " warns";
    EXPECT_EQ(covered.count({check.id, State::Problem}), *check.problem == '\0' ? 0U : 1U)
        << check.id << " has a problem";
  }
}

TEST(Doctor, HasUniqueChecks) {
  std::set<std::string> ids;
  for (const auto& check : all_checks()) EXPECT_TRUE(ids.insert(check.id).second) << check.id;
  EXPECT_GE(ids.size(), 43U);
  EXPECT_THROW(check_of("fs.sen"), ConfigError);
}

TEST(Doctor, JudgesWhatWasSentAsItJudgesWhatWasSeen) {
  const auto faults = planted_faults();
  constexpr std::size_t kEvery = 8;  // facts of each kind are in all of them
  for (std::size_t i = 0; i < faults.size(); i += kEvery) {
    const auto& fault = faults[i];
    const Gathered all = fault.make();
    Gathered sent{.ranks = {}, .absent = all.absent};
    for (const Facts& facts : all.ranks) sent.ranks.push_back(unpacked<Facts>(packed(facts)));
    EXPECT_EQ(all_text(all), all_text(sent)) << fault.name;
  }
}

TEST(Doctor, SaysNothingOfWhatIsUnknown) {
  Gathered all;
  all.ranks.emplace_back();
  all.ranks[0].host = "n1";
  EXPECT_TRUE(loud(all).empty()) << all_text(all);
}

Finding finding_of(const std::string& id, State state, std::vector<std::string> hosts, bool of_node) {
  Finding finding;
  finding.id = id;
  finding.state = state;
  finding.hosts = std::move(hosts);
  finding.text = "it is so";
  finding.remedy = "do it";
  finding.of_node = of_node;
  return finding;
}

TEST(Doctor, EndsWith75WhenOtherNodesAreFine) {
  for (const auto& fault : planted_faults()) {
    if (fault.state != State::Problem) continue;
    const auto findings = judge(fault.make());
    const bool of_node = verdict(findings) == ExitCode::PeerLost;
    EXPECT_EQ(of_node, loud(fault.make()).front().of_node) << fault.name;
    EXPECT_EQ(verdict(findings), of_node ? ExitCode::PeerLost : ExitCode::BadConfiguration) << fault.name;
    EXPECT_EQ(bad_nodes(findings), of_node ? fault.hosts : std::vector<std::string>{}) << fault.name;
  }
  EXPECT_EQ(verdict({finding_of("fs.seen", State::Problem, {"n1"}, true)}), ExitCode::PeerLost);
  EXPECT_EQ(verdict({finding_of("net.fabric", State::Problem, {"n1"}, true),
                     finding_of("fs.room", State::Problem, {"n1", "n2"}, false)}),
            ExitCode::BadConfiguration);
  EXPECT_EQ(verdict({finding_of("cpu.mask", State::Warning, {"n1"}, false)}), ExitCode::Done);
}

TEST(Doctor, WritesTheWorstFirstWithWhatToDo) {
  Finding note = finding_of("sw.versions", State::Note, {"n1"}, false);
  note.remedy = "";
  const Diagnosis diagnosis{
      .findings = {finding_of("fs.seen", State::Problem, {"n2", "n1", "n3"}, false),
                   finding_of("cpu.quota", State::Warning, {"n4"}, false), note},
      .measured =
          {{.id = "fs.write", .value = 1.5, .unit = "GB/s", .of = "256 MiB", .expected = 2, .text = ""}},
      .nodes = 4};
  EXPECT_EQ(report_text(diagnosis, false),
            "problem  fs.seen  n[1-3]: it is so\n"
            "         do: do it\n"
            "warning  cpu.quota  n4: it is so\n"
            "         do: do it\n"
            "measured fs.write  1.5 GB/s of 256 MiB, 2 expected\n"
            "A run would not work: fs.seen.\n");
  EXPECT_THAT(report_text(diagnosis, true), HasSubstr("note     sw.versions  n1: it is so\n"));
  const auto json = report_json(diagnosis);
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["code"], 2);
  EXPECT_EQ(json["checks"].size(), 3U);
  EXPECT_EQ(json["checks"][0]["do"], "do it");
  EXPECT_EQ(json["measured"][0]["of"], "256 MiB");
}

TEST(Doctor, AlwaysTellsANoteThatSaysWhatToDo) {
  const auto advice = finding_of("slurm.site", State::Note, {}, false);
  EXPECT_EQ(report_text({.findings = {advice}, .measured = {}, .nodes = 1}, false),
            "note     slurm.site  it is so\n         do: do it\nA run would work.\n");
}

TEST(Doctor, NamesTheSiteFileThatStartsRanksOfTheLibrary) {
  const char* source = std::getenv("FACEMAE_SOURCE");
  ASSERT_NE(source, nullptr);
  struct Case {
    std::string library;
    std::vector<std::string> plugins;
    std::string container, site;
  };
  for (const auto& one : std::vector<Case>{
           {"Open MPI v4.1.4", {"none", "pmix_v4"}, "", "openmpi-srun"},
           {"Open MPI v4.1.4", {"none", "pmi2"}, "", "openmpi-mpirun"},
           {"Open MPI v4.1.4", {"pmix"}, "Apptainer", "apptainer"},
           {"Open MPI v4.1.4", {"pmix"}, "enroot", "pyxis"},
           {"MPICH Version: 4.0.2", {"pmi2", "pmix"}, "", "mpich-srun"},
           {"MPICH Version: 4.0.2", {"none", "pmix"}, "", "mpich-mpiexec"},
           {"Intel(R) MPI Library 2021.19", {"pmi2"}, "", "mpich-srun"},
           {"CRAY MPICH version 8.1.27.0", {"cray_shasta"}, "", "cray"},
       }) {
    Gathered all = machine_of(1, 1, 4);
    put_slurm(all, "23.11.4");
    all.ranks[0].mpi.library = all.ranks[0].mpi.built_for = one.library;
    all.ranks[0].slurm.plugins = one.plugins;
    all.ranks[0].software.container = one.container;
    EXPECT_TRUE(std::filesystem::exists(Path(source) / ("slurm/sites/" + one.site + ".env"))) << one.site;
    const auto findings = judge(all);
    const auto found = std::find_if(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.id == "slurm.site"; });
    ASSERT_NE(found, findings.end()) << one.site;
    EXPECT_THAT(found->text, HasSubstr(one.site));
    const bool usual = one.site == "openmpi-srun";
    EXPECT_EQ(found->state, usual ? State::Ok : State::Note) << one.site;
    EXPECT_EQ(found->remedy.starts_with("export FACEMAE_SITE=" + one.site), !usual) << found->remedy;
  }
}

TEST(Doctor, SaysWhyARunWouldBeSlow) {
  EXPECT_EQ(report_text({.findings = {}, .measured = {}, .nodes = 1}, false), "A run would work.\n");
  const auto slow = finding_of("cpu.quota", State::Warning, {"n1"}, false);
  EXPECT_THAT(report_text({.findings = {slow}, .measured = {}, .nodes = 1}, false),
              HasSubstr("\nA run would work, but slower than it could: cpu.quota.\n"));
  const auto bad = finding_of("net.fabric", State::Problem, {"n7"}, true);
  EXPECT_THAT(report_text({.findings = {bad}, .measured = {}, .nodes = 8}, false),
              HasSubstr("A run would not work with n7; nothing else is in its way.\n"));
}

TEST(Doctor, DocumentsItsTable) {
  const char* source = std::getenv("FACEMAE_SOURCE");
  ASSERT_NE(source, nullptr);
  const bool same = read_file(Path(source) / "docs/DOCTOR.md").find(table_of_checks()) != std::string::npos;
  EXPECT_TRUE(same) << "docs/DOCTOR.md must have this table:\n" << table_of_checks();
}

}  // namespace
}  // namespace facemae
