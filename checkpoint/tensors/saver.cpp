#include "checkpoint/tensors/saver.h"

#include <ATen/Version.h>
#include <torch/torch.h>
#include <torch/version.h>

#include <latch>

#include "checkpoint/format/finite.h"
#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/history/tidy.h"
#include "checkpoint/tensors/staging.h"
#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// What the manifest says besides tensors and files.
Manifest draft_of(const Snapshot& snapshot, CheckpointId id, std::optional<CheckpointId> parent, int world) {
  return {.id = id,
          .samples = snapshot.samples,
          .world = world,
          .threads = torch::get_num_threads(),
          .cpu = at::get_cpu_capability(),
          .virtual_shards = snapshot.virtual_shards,
          .tensors = {},
          .files = {},
          .root = {},
          .run_state = snapshot.run_state,
          .config = snapshot.config,
          .dataset_digest = snapshot.dataset_digest,
          .model_hash = snapshot.model_hash,
          .software = {{"libtorch", TORCH_VERSION}, {"compiler", __VERSION__}},
          .parent = parent,
          .metric = snapshot.metric};
}

}  // namespace

struct Saver::Flight {
  explicit Flight(std::shared_ptr<SideStream> side) : staging(std::move(side)) {}
  CheckpointId id;
  Path folder;
  StateShape shape;
  Manifest draft;
  Clock::time_point began = Clock::now();
  Staging staging;
  std::unique_ptr<std::latch> copied = std::make_unique<std::latch>(1);
  std::vector<std::string> not_finite;  ///< tensors of this rank's file: then it is not written
  RankReport report;                    ///< of this rank's file
  Hash128 root;                         ///< rank 0, once committed
  std::uint64_t bytes = 0;
  bool read_back = false;
  bool taken = false;  ///< rank 0, once committed: another start had taken over by then
};

Saver::Saver(Path checkpoints, Control& control, FileSystem& files, std::shared_ptr<SideStream> side)
    : checkpoints_(std::move(checkpoints)), control_(control), files_(files), side_(std::move(side)) {}

Saver::~Saver() = default;

bool Saver::begin(const Snapshot& snapshot, std::uint32_t start) {
  if (phase_ != Phase::Idle) return false;
  const auto began = Clock::now();
  const CheckpointId id{snapshot.step, start};
  if (!flight_) flight_ = std::make_shared<Flight>(side_);  // kept for its buffer
  Flight& flight = *flight_;
  const std::string misuse =
      attempt(control_, [&] { flight.shape = shape_of(snapshot, control_.rank(), control_.size()); });
  if (!misuse.empty()) throw ConfigError(misuse);
  if (!control_.same_everywhere(fingerprint(snapshot, flight.shape, start)))
    throw ConfigError("saving " + folder_name(id) +
                      ": the ranks do not hold tensors with the same names and shapes");
  flight.id = id;
  flight.folder = checkpoints_ / folder_name(id);
  std::error_code ignored;
  if (control_.any_of(
          control_.is_root() && std::filesystem::exists(flight.folder / "COMMIT", ignored) ? 1 : 0) != 0) {
    if (wants_another_)
      throw Unresumable(flight.folder.string() + " is damaged and cannot be removed: repair the storage");
    last_committed_ = id;  // never written again
    return true;
  }
  flight.draft = draft_of(snapshot, id, parent_, control_.size());
  flight.began = began;
  flight.copied = std::make_unique<std::latch>(1);
  flight.staging.lay_out(snapshot, flight.shape, control_.rank(), control_.size());
  wants_another_ = false;
  phase_ = Phase::Writing;
  job_.start([flight = flight_, &files = files_, checkpoints = checkpoints_](const std::stop_token&) {
    try {
      flight->staging.copy_steady();
    } catch (...) {
      flight->copied->count_down();
      throw;
    }
    flight->copied->count_down();
    flight->staging.collect();
    failpoint("save.copied");
    flight->not_finite = not_finite(flight->staging.file());
    if (!flight->not_finite.empty()) return;
    make_folders(files, checkpoints);
    files.make_folder(flight->folder);
    failpoint("save.folder.made");
    flight->report = write_staged(files, flight->folder, flight->staging.file());
  });
  figures_.stalled_seconds += seconds_since(began);
  return true;
}

void Saver::wait_copied() {
  if (phase_ != Phase::Writing) return;
  const auto began = Clock::now();
  flight_->staging.hold_device();
  flight_->copied->wait();
  figures_.stalled_seconds += seconds_since(began);
}

void Saver::advance(bool anyone_busy) {
  if (phase_ == Phase::Idle || anyone_busy) return;
  if (phase_ == Phase::Writing)
    written();
  else if (phase_ == Phase::Committing)
    committed();
  else if (phase_ == Phase::Scrubbing)
    scrubbed();
  else {
    if (const auto failure = job_.take_failure(); !failure.empty())
      spdlog::warn("after saving {}: {}", folder_name(flight_->id), failure);
    phase_ = Phase::Idle;
  }
}

void Saver::confirm(CheckpointId restored, std::uint32_t start, bool read_in_full) {
  try {
    tidy(files_, checkpoints_, restored, start, read_in_full, policy_, distrusted_);
  } catch (const Error& error) {
    spdlog::warn("could not tidy {}: {}", checkpoints_.string(), error.what());
  }
}

/// All ranks' files exist, or do not.
void Saver::written() {
  const std::string own = job_.take_failure();
  bool taken = false;
  const std::string failure = attempt(control_, [&] {
    if (!own.empty()) throw Error(own);
    if (!flight_->not_finite.empty()) throw Error(first_of(flight_->not_finite));
    if (control_.is_root()) taken = superseded(checkpoints_, flight_->id.start);
  });
  const bool sound = !own.empty() || flight_->not_finite.empty();
  if (!failure.empty() && control_.any_of(sound ? 0 : 1) != 0) diverged(failure);
  if (!failure.empty()) return fail(failure);
  end_when_taken(taken);
  auto reports = control_.gather(serialise(flight_->report));
  phase_ = Phase::Committing;
  if (!control_.is_root()) return;
  job_.start([flight = flight_, &files = files_, checkpoints = checkpoints_, reports = std::move(reports),
              patience = show_patience](const std::stop_token&) {
    const Manifest manifest = merge_reports(flight->draft, flight->shape, reports);
    require_seen(checkpoints, manifest, patience);
    commit(files, checkpoints, manifest);
    flight->root = manifest.root;
    flight->bytes = 0;
    for (const auto& file : manifest.files) flight->bytes += file.bytes;
    flight->taken = superseded(checkpoints, flight->id.start);
  });
}

/// All ranks; rank 0 has looked.
void Saver::end_when_taken(bool taken) {
  if (control_.any_of(control_.is_root() && taken ? 1 : 0) != 0)
    throw Unresumable("another start has taken over the run " + checkpoints_.parent_path().string() +
                      ": this one ends without announcing " + folder_name(flight_->id));
}

/// Rank 0 has committed, or has not: the others learn of it.
void Saver::committed() {
  const std::string failure = control_.broadcast(job_.take_failure());
  if (!failure.empty()) return fail(failure);
  // A start that claimed the run meanwhile may have looked for checkpoints before this one existed.
  end_when_taken(flight_->taken);
  failed_in_row_ = 0;
  parent_ = last_committed_ = flight_->id;
  ++figures_.committed;
  figures_.seconds = seconds_since(flight_->began);
  figures_.longest_seconds = std::max(figures_.longest_seconds, figures_.seconds);
  if (control_.is_root())
    spdlog::info("committed {}: {}, {}, root {}", flight_->folder.string(), human_bytes(flight_->bytes),
                 human_seconds(figures_.seconds), flight_->root.hex());
  phase_ = Phase::Scrubbing;
  job_.start([flight = flight_](const std::stop_token& stop) {
    flight->read_back = scrub(flight->folder, flight->staging.file(), flight->report, stop);
  });
}

void Saver::scrubbed() {
  const std::string own = job_.take_failure();
  const std::string failure = attempt(control_, [&] {
    if (!own.empty()) throw CheckpointError(own);
  });
  const bool verified = control_.all_agree(failure.empty() && flight_->read_back);
  phase_ = Phase::Tidying;
  damaged_in_row_ = failure.empty() ? 0 : damaged_in_row_ + 1;
  if (!failure.empty()) return retire(failure);
  if (!control_.is_root()) return;
  job_.start([&files = files_, checkpoints = checkpoints_, id = flight_->id, verified, policy = policy_,
              distrusted = distrusted_](const std::stop_token&) {
    tidy(files, checkpoints, id, id.start, verified, policy, distrusted);
  });
}

/// All ranks know that the storage does not hold what was written: the checkpoint is removed, and another
/// one is wanted.
void Saver::retire(const std::string& failure) {
  wants_another_ = true;
  parent_ = flight_->draft.parent;
  last_committed_ = parent_ && parent_->start == flight_->id.start ? parent_ : std::nullopt;
  if (control_.is_root())
    job_.start([&files = files_, checkpoints = checkpoints_, flight = flight_](const std::stop_token&) {
      if (superseded(checkpoints, flight->id.start)) return;  // the later start may have resumed from it
      if (!has_history(checkpoints, {})) {  // of a first one: the run must not look never begun
        note_in_history(files, checkpoints, flight->id, flight->draft.samples, flight->root);
        files.sync_folder(checkpoints);
      }
      remove_checkpoint(files, flight->folder);
    });
  const std::string name = folder_name(flight_->id);
  if (damaged_in_row_ >= max_failed_saves) {
    wait_for_all();
    throw Unresumable(
        fmt::format("{} checkpoints in a row were damaged when they were read back, the last one {}: {}; "
                    "the storage of {} is bad",
                    damaged_in_row_, name, failure, checkpoints_.parent_path().string()));
  }
  if (control_.is_root())
    spdlog::error("{} was damaged when it was read back and will be saved again: {}", name, failure);
}

/// All ranks know of the failure. Rank 0 removes what was begun.
void Saver::fail(const std::string& failure) {
  ++failed_in_row_;
  ++figures_.failed;
  const std::string name = folder_name(flight_->id);
  discard();
  if (failed_in_row_ >= max_failed_saves) {
    wait_for_all();
    throw Unresumable(fmt::format(
        "{} saves in a row failed, the last one of {}: {}; free some space or repair {} and start again",
        failed_in_row_, name, failure, checkpoints_.parent_path().string()));
  }
  if (control_.is_root())
    spdlog::error("saving {} failed ({} in a row, {} end the run), training continues: {}", name,
                  failed_in_row_, max_failed_saves, failure);
}

/// Removes what was begun.
void Saver::discard() {
  phase_ = Phase::Discarding;
  if (control_.is_root())
    job_.start([&files = files_, checkpoints = checkpoints_, flight = flight_](const std::stop_token&) {
      if (superseded(checkpoints, flight->id.start)) return;
      remove_debris(files, flight->folder);
    });
}

/// All ranks know that the state holds values that are not finite. Another start would end up here again.
void Saver::diverged(const std::string& where) {
  discard();
  wait_for_all();
  throw AgreedError(
      fmt::format(
          "step {}: weights, moments or statistics are not finite ({}), so nothing is saved: the run has diverged. "
          "Lower --lr, add --clip 1, or use --precision float32, and start again from the last checkpoint",
          flight_->id.step, where),
      ExitCode::DoNotRequeue, "Diverged");
}

void Saver::wait_for_all() {
  constexpr auto kBetweenVotes = std::chrono::milliseconds(200);
  bool anyone_busy = true;
  while (anyone_busy) {
    if (while_waiting) while_waiting();
    job_.wait_for(kBetweenVotes);
    anyone_busy = control_.any_of(job_.busy() ? 1 : 0) != 0;
  }
  advance(false);
}

bool Saver::save(const Snapshot& snapshot, std::uint32_t start) {
  const auto began = Clock::now();
  const CheckpointId id{snapshot.step, start};
  const auto under_way = [&] {
    return phase_ == Phase::Writing || phase_ == Phase::Committing || phase_ == Phase::Discarding;
  };
  while (under_way()) wait_for_all();
  if (last_committed_ != id) {
    job_.ask_to_stop();
    while (phase_ != Phase::Idle) wait_for_all();
    begin(snapshot, start);
    while (under_way()) wait_for_all();
  }
  figures_.stalled_seconds += seconds_since(began);
  return last_committed_ == id;
}

void Saver::settle() {
  while (phase_ != Phase::Idle) wait_for_all();
}

}  // namespace facemae
