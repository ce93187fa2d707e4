// What one training step costs on a GPU beside its arithmetic, counted on the stand-in: of both trainings with the
// options that change what a step does, of a step with a line of metrics, and of one with a save.
#include "tests/rehearsal/counters.h"

#include <spdlog/fmt/fmt.h>
#include <torch/torch.h>

#include <algorithm>

#include "tests/rehearsal/device.h"
#include "tests/rehearsal/model_costs.h"
#include "tests/rehearsal/rehearsal.h"
#include "trainer/step/precision.h"

namespace facemae::rehearsal {
namespace {

/// The most that one step may have on any rank. Lower a number when it was brought down; none may rise.
struct Allowed {
  const char* name;
  bool recognizes;
  Words options;
  std::int64_t blocking_copies, value_reads, waits, launches;
  bool modelled = false;  ///< bench/model_costs.py says what such a step sends
};
// A run of three steps has one line of metrics more than one of two with --log-every 2, and with --save-every 2 one save,
// before which replicas are compared; --relation-weight auto:0.3 is measured in each of the first three steps.
const Allowed kAllowed[] = {
    {"pretrain", false, {}, 0, 0, 0, 657, true},
    {"pretrain-none", false, {"--relation", "none"}, 0, 0, 0, 565, true},
    {"pretrain-distance", false, {"--relation", "distance"}, 0, 0, 0, 669},
    {"pretrain-pkt", false, {"--relation", "pkt"}, 0, 0, 0, 687},
    {"pretrain-auto", false, {"--relation-weight", "auto:0.3"}, 0, 0, 0, 723},
    {"pretrain-linkage", false, {"--linkage-weight", "auto:3"}, 0, 0, 0, 834},
    {"pretrain-bfloat16", false, {"--precision", "bfloat16"}, 0, 0, 0, 836, true},
    {"pretrain-accumulate", false, {"--accumulate", "2"}, 0, 0, 0, 1286, true},
    {"pretrain-global", false, {"--accumulate", "2", "--relation-batch", "global"}, 0, 0, 0, 1585},
    {"pretrain-clip", false, {"--clip", "1"}, 0, 0, 0, 663, true},
    {"pretrain-halves", false, {"--gradient-dtype", "bfloat16"}, 0, 0, 0, 663, true},
    {"pretrain-sharded", false, {"--shard-optimizer"}, 0, 0, 0, 662, true},
    {"pretrain-line", false, {"--log-every", "2"}, 0, 0, 0, 693},
    // The pictures that rank 0 draws are copied to the host at once, and so are the digests of replicas.
    {"pretrain-save", false, {"--save-every", "2", "--check-replicas", "2"}, 4, 0, 0, 2793},
    {"pretrain-sharded-save", false, {"--shard-optimizer", "--save-every", "2"}, 3, 0, 0, 841},
    {"recognize", true, {}, 0, 0, 0, 382, true},
    {"recognize-bfloat16", true, {"--precision", "bfloat16"}, 0, 0, 0, 423, true},
    {"recognize-sample", true, {"--sample-rate", "0.4", "--margin", "adaface"}, 0, 0, 0, 447},
    {"recognize-line", true, {"--log-every", "2"}, 0, 0, 0, 390},
    {"recognize-save", true, {"--save-every", "2", "--check-replicas", "2"}, 1, 0, 0, 1433},
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

bool has_bfloat16() {
  try {
    return precision_for("bfloat16", torch::kCPU) == Precision::BFloat16;
  } catch (const ConfigError&) {
    return false;
  }
}

/// `options` and what all runs have that do not say otherwise. Nothing else of a run than its steps is in a difference:
/// start, the last step's line and its save are in both.
Words options_of(const Allowed& allowed, int steps) {
  Words words{"--steps", std::to_string(steps)};
  for (const auto& [option, value] : {std::pair("--precision", "float32"), std::pair("--log-every", "1000"),
                                      std::pair("--check-replicas", "0")})
    if (std::find(allowed.options.begin(), allowed.options.end(), option) == allowed.options.end())
      words.insert(words.end(), {option, value});
  words.insert(words.end(), allowed.options.begin(), allowed.options.end());
  return words;
}

struct Steps : Runs {
  Cost cost_of(const Allowed& allowed, int steps) {
    const std::string run = allowed.name + std::to_string(steps);
    const Words options = options_of(allowed, steps);
    reset_counters();
    EXPECT_EQ(perform(allowed.recognizes ? recognition(run, options) : pretraining(run, options)),
              ExitCode::Done);
    return {counters(), stage.wire->traffic()};
  }

  void print(const std::string& name, const Cost& step) const {
    if (!control.is_root()) return;
    fmt::print("one step of {} on {} rank(s)\n{}", name, control.size(), describe(step.counted));
    for (const auto& [verb, traffic] : step.traffic)
      fmt::print("  {:<23} {} ({} bytes)\n", verb, traffic.calls, traffic.bytes);
  }
};

TEST_F(Steps, CopyWaitAndLaunchNoMoreThanTheTableSays) {
  make_faces();
  for (const Allowed& allowed : kAllowed) {
    const bool reduced = std::string(allowed.name).ends_with("bfloat16");
    if (reduced && !has_bfloat16()) continue;
    SCOPED_TRACE(allowed.name);
    const Cost fewer = cost_of(allowed, 2);
    const Cost step = cost_of(allowed, 3) - fewer;
    const auto& counted = step.counted;
    print(allowed.name, step);
    EXPECT_LE(counted.to_device.blocking + counted.from_device.blocking, allowed.blocking_copies);
    EXPECT_LE(counted.value_reads, allowed.value_reads);
    EXPECT_LE(counted.waits, allowed.waits);
    EXPECT_LE(counted.launches, allowed.launches);
    EXPECT_GT(counted.launches, 0) << "nothing was computed on the stand-in";
    if (allowed.modelled && control.size() > 1 && control.is_root())
      expect_modelled(step.traffic, reduced ? std::optional(counted.launches) : std::nullopt,
                      at(allowed.name + std::to_string(3)), control.size(),
                      allowed.recognizes ? ",classes=6,packed-labels=yes" : "");
  }
}

}  // namespace
}  // namespace facemae::rehearsal
