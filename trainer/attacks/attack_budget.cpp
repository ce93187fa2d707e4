#include "trainer/attacks/attack_budget.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/kinds.h"

namespace facemae {
namespace {

constexpr std::array kBudgets = {
    BudgetKind{"quick", "a quarter of the steps of standard: whether there is a leak at all", 0.25},
    BudgetKind{"standard", "minutes an attacker on one core", 1},
    BudgetKind{"full", "five times the steps of standard, for a release that is to be published", 5}};

}  // namespace

std::span<const BudgetKind> budget_kinds() { return kBudgets; }

AttackTraining within(const AttackBudget& budget, AttackTraining standard) {
  const double times = row_of(budget_kinds(), budget.size, "choosing the budget of attackers").steps;
  const auto steps = std::llround(times * static_cast<double>(standard.steps));
  standard.steps = budget.steps.value_or(static_cast<std::uint64_t>(std::max(1LL, steps)));
  standard.batch = budget.batch.value_or(standard.batch);
  if (standard.width > 0) standard.width = budget.width.value_or(standard.width);
  standard.lr = budget.lr.value_or(standard.lr);
  standard.precision = budget.precision;
  return standard;
}

void declare(Options& options, AttackBudget& budget) {
  options.group("Attackers that train")
      .choice("attack-budget", budget.size, budget_kinds(), "steps of every attacker that is trained")
      .add("attack-steps", budget.steps,
           "steps of every attacker that is trained, instead of those of the budget")
      .at_least(1)
      .add("attack-batch", budget.batch, "pictures in a global batch of their training")
      .between(2, 1 << 20)
      .add("attack-width", budget.width, "channels of the first stage of A5 (16 unless given) and A7 (32)")
      .between(2, 1024)
      .add("attack-lr", budget.lr, "peak learning rate of A5, A6 and A7")
      .above(0)
      .at_most(1e3)
      .choice(
          "attack-precision", budget.precision, {"auto", "float32", "tf32", "bfloat16"},
          "number format of their training, as --precision of `facemae recognize`; bfloat16 also runs on CPUs that "
          "have it");
}

}  // namespace facemae
