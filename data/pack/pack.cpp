#include "data/pack/pack.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "data/pack/journal.h"
#include "data/pack/pack_duplicates.h"
#include "data/pack/pack_finish.h"
#include "data/pack/pack_plan.h"
#include "data/pack/pack_shards.h"
#include "data/pack/pack_share.h"
#include "data/pack/pack_stream.h"
#include "data/pack/spill.h"
#include "data/store/manifest.h"

namespace facemae {

class Packing::Work {
 public:
  Work(const ImageSource& source, const PackConfig& config, FileSystem& files, int rank, int ranks)
      : source_(source),
        config_(config),
        plan_(plan_pack(source, config)),
        files_(files),
        journal_(files, config.out),
        rank_(rank),
        ranks_(ranks) {}

  const PackPlan& plan() const { return plan_; }
  const PackResult& result() const { return result_; }

  void begin() {
    if (rank_ != 0) return;
    journal_.require_no_living_ranks();
    if (std::filesystem::exists(config_.out / kManifestName)) {
      result_ = figures_of_finished(config_, plan_, files_);
      return;
    }
    go_on_as_begun();
    journal_.begin(plan_.settings, plan_.samples);
    require_space(std::filesystem::space(config_.out).available, space_for_rest(), config_.out);
  }

  /// Finds what earlier starts have left, as far as it is sound.
  void look_back() {
    finished_ = std::filesystem::exists(config_.out / kManifestName);
    if (finished_) return;
    go_on_as_begun();
    journal_.require_begun(plan_.settings, rank_);
    if (rank_ > 0) lock_.emplace(journal_.folder(), journal_.lock_of(rank_));
    for (const auto& [rank, spill] : journal_.spills())
      archives_done_.insert(archives_done_.end(), spill.archives.begin(), spill.archives.end());
    const Numbers mine = share_of(journal_.finished_shards(), rank_, ranks_);
    Progress progress("checking finished shards", mine.size(), "shards", shows() && !mine.empty());
    for (const std::uint64_t shard : mine) {
      const std::string fault = fault_of_finished(journal_, shard, config_.patience);
      if (!fault.empty())
        spdlog::warn("{} was finished by an earlier start but cannot be used ({}): making it again",
                     journal_.path_of(shard).string(), fault);
      if (!fault.empty() || was_mended(shard)) outdated_.push_back(shard);
      progress.advance();
    }
    progress.finish();
  }

  void forget_outdated() {
    if (finished_) return;
    for (const std::uint64_t shard : outdated_) journal_.forget(shard);
  }

  void stream() {
    if (finished_) return;
    rejects_ = known_rejects(journal_, plan_).size();
    shards_left_ = missing_from(journal_.finished_shards(), plan_.shards());
    for (const std::uint64_t shard : journal_.finished_shards()) {
      ++result_.resumed_shards;
      result_.resumed_images += journal_.shard(shard).info.images;
    }
    if (source_.archives() == 0 || shards_left_.empty()) return;
    const Numbers left = missing_from(archives_done_, source_.archives());
    const Numbers mine = share_of(left, rank_, ranks_);
    if (mine.empty()) return;
    SpillWriter spill(files_, journal_, plan_, rank_, config_.spill_run_bytes);
    const std::uint64_t done = plan_.entries * archives_done_.size() / source_.archives();
    ShareProgress progress("reading archives", plan_.entries, done, left.size(), mine.size(), ranks_,
                           shows());
    HaltWatch watch(journal_);
    std::atomic<std::uint64_t> rejected{0};
    const auto take = [&](std::uint64_t entry, PreparedImage image) {
      rejected += image.reject.empty() ? 0 : 1;
      spill.add(entry, std::move(image));
    };
    const auto go_on = [&] {
      progress.advance(1);
      return rejects_ + rejected <= plan_.allowed_rejects && !watch.halted();
    };
    for (const std::uint64_t archive : mine) {
      const bool whole =
          stream_archive(source_, archive, plan_.image_size, config_.resize, config_.threads, take, go_on);
      if (!few_enough(spill.rejects()) || !whole) return;
      spill.finish_archive(archive);
    }
    spill.close();
    progress.finish();
  }

  void judge() {
    if (!finished_ && rank_ == 0) require_few_rejects(source_, config_, plan_, files_, journal_);
  }

  void make_shards() {
    if (finished_) return;
    const Numbers mine = share_of(shards_left_, rank_, ranks_);
    if (rank_ == 0 && plan_.shards() < static_cast<std::uint64_t>(ranks_))
      spdlog::warn(
          "{} shard(s) for {} ranks: some have nothing to do; a smaller --shard-mib divides the work",
          plan_.shards(), ranks_);
    std::optional<Spill> spill;
    if (source_.archives() > 0) spill.emplace(journal_, plan_, mine);
    ShardMaker maker(source_, plan_, config_, files_, journal_, spill ? &*spill : nullptr);
    const std::uint64_t done = (plan_.shards() - shards_left_.size()) * plan_.images_per_shard;
    ShareProgress progress(spill ? "writing shards" : "packing", plan_.entries, done, shards_left_.size(),
                           mine.size(), ranks_, shows());
    HaltWatch watch(journal_);
    std::vector<Reject> fresh;
    for (const std::uint64_t shard : mine) {
      if (watch.halted()) return;
      const auto made = maker.make(
          shard,
          [&](std::uint64_t count) {
            progress.advance(count);
            return !watch.halted();
          },
          [&](std::vector<Reject> more) {
            more.insert(more.end(), fresh.begin(), fresh.end());
            return few_enough(more);
          });
      if (!made.whole) return;
      fresh.insert(fresh.end(), made.new_rejects.begin(), made.new_rejects.end());
    }
    progress.finish();
  }

  void look_for_duplicates() {
    if (!finished_) find_duplicates(files_, journal_, plan_.entries, rank_, ranks_);
  }

  void finish() {
    if (finished_ || rank_ != 0) return;
    const auto [resumed_shards, resumed_images] = std::pair(result_.resumed_shards, result_.resumed_images);
    result_ = finish_pack(source_, config_, plan_, files_, journal_, ranks_);
    result_.resumed_shards = resumed_shards;
    result_.resumed_images = resumed_images;
  }

  /// Runs one phase; when it fails, the other ranks need not finish theirs.
  void run(void (Work::*phase)()) {
    try {
      (this->*phase)();
    } catch (...) {
      try {
        if (ranks_ > 1 && journal_.begun()) journal_.halt(rank_, {});
      } catch (const Error&) {  // the disk may be what failed
      }
      throw;
    }
    result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  /// Images that were sampled when the pack was begun may have been mended since.
  void go_on_as_begun() {
    if (!journal_.begun()) return;
    const Journal::Begun begun = journal_.begun_with();
    plan_ = going_on(plan_, begun.settings, begun.samples);
  }

  /// Can any of a finished shard's rejects be used now? (Images from archives have been spilled.)
  bool was_mended(std::uint64_t shard) const {
    if (source_.archives() > 0) return false;
    ImageChecker checker(plan_.image_size, config_.resize);
    for (const Reject& reject : journal_.shard(shard).rejects) {
      if (!checker.read(source_, reject.entry, config_.patience).reject.empty()) continue;
      spdlog::info("{} was rejected by an earlier start and can be used now: making {} again",
                   source_.name(reject.entry), journal_.path_of(shard).filename().string());
      return true;
    }
    return false;
  }

  bool shows() const { return config_.show_progress && rank_ == 0; }

  /// False when this rank's rejects alone are too many: it then tells the others.
  bool few_enough(const std::vector<Reject>& fresh) {
    if (rejects_ + fresh.size() <= plan_.allowed_rejects) return true;
    journal_.halt(rank_, fresh);
    return false;
  }

  /// Space beyond what exists already: the shards and, for archives, a spill of all images.
  std::uint64_t space_for_rest() const {
    const std::uint64_t shards_done = journal_.finished_shards().size();
    const std::uint64_t needed =
        plan_.room_for(plan_.shards() - std::min<std::uint64_t>(shards_done, plan_.shards()));
    if (source_.archives() == 0) return needed;
    std::uint64_t spilled = 0;
    for (const auto& [rank, spill] : journal_.spills()) spilled += spill.bytes;
    const std::uint64_t spill = plan_.room_for_spill();
    return needed + spill - std::min(spill, spilled);
  }

  const ImageSource& source_;
  const PackConfig& config_;
  PackPlan plan_;
  FileSystem& files_;
  Journal journal_;
  std::optional<FolderLock> lock_;
  int rank_, ranks_;
  bool finished_ = false;
  std::uint64_t rejects_ = 0;  // known when this start began
  Numbers archives_done_, shards_left_, outdated_;
  PackResult result_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Packing::Packing(const ImageSource& source, const PackConfig& config, FileSystem& files, int rank, int ranks)
    : work_(std::make_unique<Work>(source, config, files, rank, ranks)) {}
Packing::~Packing() = default;

const std::string& Packing::settings() const noexcept { return work_->plan().settings; }
const PackResult& Packing::result() const noexcept { return work_->result(); }

std::vector<std::function<void()>> Packing::phases() {
  std::vector<std::function<void()>> phases;
  for (const auto phase :
       {&Work::begin, &Work::look_back, &Work::forget_outdated, &Work::stream, &Work::judge,
        &Work::make_shards, &Work::judge, &Work::look_for_duplicates, &Work::finish})
    phases.emplace_back([work = work_.get(), phase] { work->run(phase); });
  return phases;
}

PackResult pack(const ImageSource& source, const PackConfig& config, FileSystem& files) {
  Packing packing(source, config, files);
  for (const auto& phase : packing.phases()) phase();
  return packing.result();
}

}  // namespace facemae
