// Crashes of the machine at every moment of saves with retention: thousands of states that a disk may show
// then. The step that was announced last, or a newer one, must load; never another, never none.
// FACEMAE_CRASH_STATES: how many to try (2400; scripts/test.sh --full tries 20000).
#include <cstdlib>
#include <regex>

#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/tensors/store.h"
#include "tests/unit/checkpoint/tensors/crash_model.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;
using Kind = Operation::Kind;

/// Small, so that thousands of states are quick to try.
Snapshot tiny_state(std::uint64_t step) {
  Snapshot state;
  state.step = state.samples = step;
  state.replicated = {{"model.weight", values({7, 5}, torch::kFloat32, static_cast<double>(step))}};
  state.by_class = {{"centres", values({6, 2}, torch::kFloat32, static_cast<double>(step)), 0, 6}};
  state.virtual_shards = 4;
  state.model_hash = "tiny";
  return state;
}

/// Two starts of a run; two checkpoints are kept, so removal is at work, too. The second start falls back by
/// a step, as if the newest checkpoint had been found bad.
std::vector<Operation> record() {
  const Quiet quiet;
  const TemporaryFolder folder;
  RecordingFiles files(folder.path());
  AloneControl control;
  const Path checkpoints = folder.path() / "checkpoints";
  const auto start = [&](std::uint32_t number, std::optional<CheckpointId> resumed,
                         const std::vector<std::uint64_t>& steps) {
    Fence fence{.start = number};
    claim_start(files, checkpoints, number, fence);
    fence.decided = true;
    fence.resumed = resumed;
    decide_start(files, checkpoints, fence);
    CheckpointStore store(folder.path(), control, files);
    store.saver().keep({.last = 2});
    if (resumed) {
      files.announce(resumed->step);  // from here on this branch counts
      store.saver().continue_from(*resumed);
    }
    for (const std::uint64_t step : steps) {
      EXPECT_TRUE(store.saver().save(tiny_state(step), number));
      files.announce(step);
      store.saver().settle();
    }
  };
  start(0, {}, {10, 20, 30, 40});
  start(1, CheckpointId{30, 0}, {35, 45, 55});
  return files.operations;
}

struct Verdict {
  int states = 0, wrong = 0;
  std::string first;  ///< what was wrong first
};

/// What a loader makes of a state: "" when all is well.
std::string fault_of(const Path& run, std::uint64_t announced, std::uint64_t next) {
  AloneControl control;
  QuickFiles files;
  CheckpointStore store(run, control, files);
  Snapshot loaded = blank_like(tiny_state(1));
  std::optional<CheckpointInfo> info;
  std::vector<std::string> reasons;
  try {
    info = load_newest(store, loaded, &reasons);
  } catch (const Unresumable& error) {
    return error.what();
  }
  if (!reasons.empty()) return "a checkpoint that counts is bad: " + reasons[0];
  if (!info) return announced == 0 ? "" : "nothing loads";
  if (info->step != announced && info->step != next)
    return fmt::format("step {} loads, announced was {}", info->step, announced);
  if (!torch::equal(loaded.replicated[0].value, tiny_state(info->step).replicated[0].value) ||
      !torch::equal(loaded.by_class[0].rows, tiny_state(info->step).by_class[0].rows))
    return "other values than those of the step";
  // Whatever has a COMMIT is whole, and from the second on has its line in HISTORY.
  const auto folders = list_checkpoints(run / "checkpoints");
  const std::string history =
      std::filesystem::exists(run / "checkpoints/HISTORY") ? read_file(run / "checkpoints/HISTORY") : "";
  for (const auto& folder : folders) {
    if (!folder.committed) continue;
    try {
      valid_manifest_bytes(folder.path);
    } catch (const CheckpointError& error) {
      return folder.path.filename().string() + " has a COMMIT and is not whole: " + error.what();
    }
    if (folder.id.step != 10 && history.find(folder_name(folder.id) + " step ") == std::string::npos)
      return folder_name(folder.id) + " has no line in HISTORY";
  }
  return "";
}

Verdict try_crashes(const std::vector<Operation>& operations, int states) {
  const Quiet quiet;
  Verdict verdict;
  Draws draws(key_of(7, Purpose::Samples));
  CrashModel model;
  std::uint64_t announced = 0;
  const int per_prefix = std::max(1, states / static_cast<int>(operations.size()) - 2);
  for (std::size_t n = 0; n <= operations.size(); ++n) {
    if (n > 0) {
      const Operation& last = operations[n - 1];
      if (last.kind == Kind::Announce)
        announced = std::stoull(last.other);
      else
        model.play(last);
    }
    std::uint64_t next = announced;
    for (std::size_t later = n; later < operations.size() && next == announced; ++later)
      if (operations[later].kind == Kind::Announce) next = std::stoull(operations[later].other);
    for (int i = 0; i < per_prefix + 2; ++i) {
      const auto style = i == 0   ? CrashModel::Style::AllLost
                         : i == 1 ? CrashModel::Style::NamesOnly
                         : i == 2 ? CrashModel::Style::AllThere
                                  : CrashModel::Style::Drawn;
      const TemporaryFolder after;
      materialise(model.crash(style, draws), after.path());
      const std::string fault = fault_of(after.path(), announced, next);
      ++verdict.states;
      if (fault.empty()) continue;
      if (verdict.wrong++ == 0) verdict.first = fmt::format("after operation {}: {}", n, fault);
    }
  }
  return verdict;
}

int states_to_try() {
  const char* states = std::getenv("FACEMAE_CRASH_STATES");
  return states != nullptr ? std::atoi(states) : 2400;
}

TEST(Crash, AnyMomentLeavesTheAnnouncedStepOrTheNext) {
  const auto operations = record();
  const Verdict verdict = try_crashes(operations, states_to_try());
  EXPECT_EQ(verdict.wrong, 0) << verdict.first;
  EXPECT_GE(verdict.states, states_to_try() - 500);
  std::printf("%d crash states of %zu operations, %d wrong\n", verdict.states, operations.size(),
              verdict.wrong);
}

/// A change to the notes, as if the program did not do a step, or did it at another moment.
struct Mutant {
  const char* name;
  std::function<bool(const Operation&)> dropped;
};

bool named(const Operation& op, Kind kind, const std::string& end) {
  // The temporary's own part aside: COMMIT.<host>-<process>-<random>.tmp is COMMIT.tmp here.
  static const std::regex own(R"(\.[^/]*-[0-9]+-[0-9a-f]{16}\.tmp$)");
  return op.kind == kind && std::regex_replace(op.path, own, ".tmp").ends_with(end);
}

const Mutant kMutants[] = {
    {"shards are not synced", [](const Operation& op) { return named(op, Kind::Sync, ".safetensors"); }},
    {"MANIFEST.pb is not synced", [](const Operation& op) { return named(op, Kind::Sync, "MANIFEST.pb"); }},
    {"HISTORY is not synced", [](const Operation& op) { return named(op, Kind::Sync, "HISTORY"); }},
    {"COMMIT is not synced before its name",
     [](const Operation& op) { return named(op, Kind::Sync, "COMMIT.tmp"); }},
    {"no folder of a step is synced",
     [](const Operation& op) { return op.kind == Kind::SyncFolder && op.path.starts_with("checkpoints/s"); }},
    {"the folder of steps is not synced",
     [](const Operation& op) { return named(op, Kind::SyncFolder, "checkpoints"); }},
    {"fences are not synced",
     [](const Operation& op) {
       return op.kind == Kind::Sync && op.path.find("fence/") != std::string::npos;
     }},
    {"the folder of fences is not synced",
     [](const Operation& op) { return named(op, Kind::SyncFolder, "fence"); }},
};

TEST(Crash, LeavingOutAnySyncIsNoticed) {
  const auto operations = record();
  for (const auto& mutant : kMutants) {
    auto changed = operations;
    const auto dropped = std::erase_if(changed, mutant.dropped);
    ASSERT_GT(dropped, 0u) << mutant.name;
    EXPECT_GT(try_crashes(changed, states_to_try()).wrong, 0) << mutant.name;
  }
}

/// The n-th sync of a step's folder alone is left out: before COMMIT gets its name, after
/// it, and after it went.
TEST(Crash, EachSyncOfAFolderIsNeededOnItsOwn) {
  const auto operations = record();
  struct Place {
    const char* name;
    Kind before;
    const char* end;  ///< of what is done just before that sync
  };
  for (const Place& place : {Place{"before COMMIT gets its name", Kind::Sync, "HISTORY"},
                             Place{"after COMMIT got its name", Kind::Rename, "COMMIT.tmp"},
                             Place{"after COMMIT was taken away", Kind::Rename, "/COMMIT"}}) {
    std::vector<Operation> changed;
    int dropped = 0;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (i > 0 && operations[i].kind == Kind::SyncFolder &&
          operations[i].path.starts_with("checkpoints/s") &&
          named(operations[i - 1], place.before, place.end)) {
        ++dropped;
        continue;
      }
      changed.push_back(operations[i]);
    }
    ASSERT_GT(dropped, 0) << place.name;
    EXPECT_GT(try_crashes(changed, states_to_try()).wrong, 0) << place.name;
  }
}

TEST(Crash, AnotherOrderIsNoticed) {
  const auto operations = record();
  const auto swapped = [&](const char* earlier, Kind kind, const char* later, Kind later_kind) {
    auto changed = operations;
    for (std::size_t i = 0; i < changed.size(); ++i) {
      if (!named(changed[i], kind, earlier)) continue;
      for (std::size_t j = i + 1; j < changed.size(); ++j)
        if (named(changed[j], later_kind, later)) {
          std::rotate(changed.begin() + static_cast<std::ptrdiff_t>(i),
                      changed.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                      changed.begin() + static_cast<std::ptrdiff_t>(j) + 1);
          break;
        }
    }
    return changed;
  };
  EXPECT_GT(
      try_crashes(swapped(".safetensors", Kind::Sync, "COMMIT.tmp", Kind::Rename), states_to_try()).wrong, 0)
      << "shards are synced after COMMIT";
  EXPECT_GT(try_crashes(swapped("HISTORY", Kind::Sync, "COMMIT.tmp", Kind::Rename), states_to_try()).wrong, 0)
      << "HISTORY is synced after COMMIT";
  auto early = operations;  // the caller is told before COMMIT has its name
  for (std::size_t i = 1; i < early.size(); ++i)
    if (early[i].kind == Kind::Announce)
      for (std::size_t j = i; j > 0 && !named(early[j], Kind::Rename, "COMMIT.tmp"); --j)
        std::swap(early[j], early[j - 1]);
  EXPECT_GT(try_crashes(early, states_to_try()).wrong, 0) << "announced too early";
}

}  // namespace
}  // namespace facemae
