// What one training step costs on a GPU beside its arithmetic, counted on the stand-in.
#include "tests/rehearsal/counters.h"

#include <spdlog/fmt/fmt.h>
#include <torch/torch.h>

#include "tests/rehearsal/device.h"
#include "tests/rehearsal/rehearsal.h"

namespace facemae::rehearsal {
namespace {

/// The most that one step may have on any rank. Lower a number when it was brought down; none may rise.
struct Allowed {
  const char* name;
  bool recognizes;
  Words options;
  std::int64_t blocking_copies, value_reads, waits, launches;
};
const Allowed kAllowed[] = {
    {"pretrain", false, {}, 0, 0, 0, 657},
    {"recognize", true, {}, 0, 0, 0, 382},
    {"recognize-a-sample", true, {"--sample-rate", "0.4", "--margin", "adaface"}, 0, 0, 0, 447},
};

/// Of a whole run.
struct Cost {
  Counters counted;
  std::map<std::string, Traffic> traffic;
};

Copies operator-(const Copies& more, const Copies& fewer) {
  return {more.count - fewer.count, more.bytes - fewer.bytes, more.blocking - fewer.blocking,
          more.pageable - fewer.pageable};
}

std::map<std::string, std::int64_t> operator-(std::map<std::string, std::int64_t> more,
                                              const std::map<std::string, std::int64_t>& fewer) {
  for (const auto& [op, times] : fewer) more[op] -= times;
  return more;
}

Cost operator-(const Cost& more, const Cost& fewer) {
  const auto &a = more.counted, &b = fewer.counted;
  Cost step{{a.to_device - b.to_device, a.from_device - b.from_device, a.launches - b.launches,
             a.value_reads - b.value_reads, a.waits - b.waits, a.launches_of - b.launches_of,
             a.reads_of - b.reads_of},
            more.traffic};
  for (const auto& [verb, traffic] : fewer.traffic) {
    step.traffic[verb].calls -= traffic.calls;
    step.traffic[verb].bytes -= traffic.bytes;
  }
  return step;
}

TEST_F(Runs, OneStepCopiesWaitsAndLaunchesNoMoreThanTheTableSays) {
  make_faces();
  for (const Allowed& allowed : kAllowed) {
    const std::string command = allowed.name;
    // What a run has beside its steps is the same in both: its start, the last step's line and the save.
    const auto cost_of = [&](int steps) {
      const std::string run = command + std::to_string(steps);
      Words more{"--steps",          std::to_string(steps),
                 "--precision",      "float32",
                 "--log-every",      "1000",
                 "--check-replicas", "0"};
      more.insert(more.end(), allowed.options.begin(), allowed.options.end());
      reset_counters();
      EXPECT_EQ(perform(allowed.recognizes ? recognition(run, more) : pretraining(run, more)),
                ExitCode::Done);
      return Cost{counters(), stage.wire->traffic()};
    };
    const Cost fewer = cost_of(2), step = cost_of(3) - fewer;
    const auto& counted = step.counted;
    if (control.is_root()) {
      fmt::print("one step of {} on {} rank(s)\n{}", command, control.size(), describe(counted));
      for (const auto& [verb, traffic] : step.traffic)
        fmt::print("  {:<23} {} ({} bytes)\n", verb, traffic.calls, traffic.bytes);
    }
    EXPECT_LE(counted.to_device.blocking + counted.from_device.blocking, allowed.blocking_copies) << command;
    EXPECT_LE(counted.value_reads, allowed.value_reads) << command;
    EXPECT_LE(counted.waits, allowed.waits) << command;
    EXPECT_LE(counted.launches, allowed.launches) << command;
    EXPECT_GT(counted.launches, 0) << command << ": nothing was computed on the stand-in";
  }
}

}  // namespace
}  // namespace facemae::rehearsal
