// The options of the optimizer and of the learning rate: declared, and looked at together.
#include <algorithm>

#include "core/log.h"
#include "core/text.h"
#include "trainer/config/run_options.h"
#include "trainer/config/validate_run.h"

namespace facemae {
namespace {

constexpr double kMostOfAPower = 100;

/// What --milestones must be that is known without the store.
void validate_milestones(Options& o, const RunConfig& c) {
  const auto& all = c.milestones;
  if (all.empty()) return;
  o.check(c.schedule == "multistep",
          "--milestones are for `--schedule multistep`: add it, or leave them out");
  const bool rising = std::adjacent_find(all.begin(), all.end(), std::greater_equal()) == all.end();
  o.check(rising && all.front() > 0, "--milestones must be above 0 and in ascending order");
  const bool some_below = std::any_of(all.begin(), all.end(), [](double at) { return at < 1; });
  o.check(!some_below || *std::max_element(all.begin(), all.end()) < 1,
          "--milestones are all epochs, from 1 on, or all fractions of the run, below 1: do not mix them");
  o.check(!c.epochs || some_below || all.back() < *c.epochs,
          fmt::format("--milestones: epoch {} is not before the end of the run, --epochs {}: leave it out",
                      all.back(), c.epochs.value_or(0)));
}

void validate_warmup(Options& o, const RunConfig& c) {
  // Every configuration that was written down says --warmup.
  const bool fraction = c.warmup != RunConfig().warmup;
  o.check(fraction + c.warmup_epochs.has_value() + c.warmup_steps.has_value() <= 1,
          "give one of --warmup, --warmup-epochs and --warmup-steps");
  const std::string too_long =
      "the warm-up is as long as the run, so that the rate never reaches its peak: lower ";
  o.check(!c.warmup_epochs || !c.epochs || *c.warmup_epochs < *c.epochs, too_long + "--warmup-epochs");
  o.check(!c.warmup_steps || !c.steps || *c.warmup_steps < *c.steps, too_long + "--warmup-steps");
}

}  // namespace

void declare_optimizer(Options& o, RunConfig& c) {
  o.group("Optimizer")
      .choice("optimizer", c.optimizer.kind, {"adamw", "sgd"},
              "method that updates the weights; sgd has momentum")
      .add("lr", c.lr, "peak learning rate at this batch (or --base-lr)")
      .between(0, kMostOfAFloat)
      .add("base-lr", c.base_lr,
           "peak learning rate per 256 images of global batch [" + fmt::format("{}", c.default_base_lr) + "]")
      .between(0, kMostOfAFloat)
      .add("warmup", c.warmup, "fraction of the run in which the rate climbs from zero")
      .at_least(0)
      .below(1)
      .add("warmup-epochs", c.warmup_epochs, "the same in epochs, also fractions, in place of --warmup")
      .between(0, kMostEpochs)
      .add("warmup-steps", c.warmup_steps, "the same in optimizer steps, in place of --warmup")
      .at_most(kMostOfAnOrder)
      .choice("schedule", c.schedule, schedule_kinds(),
              "curve of the learning rate, a function of images seen")
      .add(
          "milestones", c.milestones,
          "for `--schedule multistep`: where the rate falls, in ascending order: all in epochs, or all as fractions of the "
          "run, below 1. Unless given, 0.6 0.85")
      .at_most(100)
      .add("gamma", c.gamma, "for `--schedule multistep`: factor of the rate at each milestone")
      .above(0)
      .at_most(1)
      .before("0.1")
      .add("power", c.power,
           "for `--schedule polynomial`: power of what is left of the run after the warm-up")
      .above(0)
      .at_most(kMostOfAPower)
      .before("1")
      .add("weight-decay", c.optimizer.weight_decay, "weight decay, decoupled for adamw")
      .between(0, kMostOfAFloat)
      .choice(
          "decay", c.decay, {"all", "weights"},
          "values that weight decay is for. all: every trained one; weights: those of convolutions and linear layers, not "
          "BatchNorm, LayerNorm, biases, slopes of PReLU, tokens and positions. Unless given, `recognize` takes all, "
          "`pretrain` weights and tokens, as MAE does")
      .add("momentum", c.optimizer.momentum, "momentum, for `--optimizer sgd`")
      .at_least(0)
      .below(1)
      .flag(
          "nesterov", c.optimizer.nesterov,
          "for `--optimizer sgd`: a step goes along the gradient and the momentum behind it (Nesterov's, as PyTorch has it)")
      .add("beta1", c.optimizer.beta1, "decay of the first moment, for `--optimizer adamw`")
      .at_least(0)
      .below(1)
      .add("beta2", c.optimizer.beta2, "decay of the second moment, for `--optimizer adamw`")
      .at_least(0)
      .below(1)
      .add("clip", c.clip, "largest gradient norm; 0: no limit")
      .between(0, kMostOfAFloat)
      .add(
          "max-skips", c.max_skips,
          "steps in a row that may be skipped for a non-finite gradient; more, or a skipped last step, end the run (exit 93)")
      .free();
}

void validate_optimizer(Options& o, const RunConfig& c) {
  const RunConfig unless_given;
  o.check(!(c.lr && c.base_lr), "give one of --lr and --base-lr");
  o.check(!c.optimizer.nesterov || (c.optimizer.kind == "sgd" && c.optimizer.momentum > 0),
          "--nesterov is a kind of momentum: use --optimizer sgd with --momentum above 0, or leave it out");
  o.check(c.gamma == unless_given.gamma || c.schedule == "multistep",
          "--gamma is for `--schedule multistep`: add it, or leave --gamma out");
  o.check(c.power == unless_given.power || c.schedule == "polynomial",
          "--power is for `--schedule polynomial`: add it, or leave --power out");
  validate_warmup(o, c);
  validate_milestones(o, c);
}

}  // namespace facemae
