#pragma once
// How much an attacker that trains may spend: sizes by name, and what overrides them.
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/options/options.h"

namespace facemae {

/// A row of the table of budgets, which is in attack_budget.cpp.
struct BudgetKind {
  const char* name;
  const char* help;
  double steps;  ///< times those of "standard"
};
std::span<const BudgetKind> budget_kinds();

struct AttackBudget {
  std::string size = "standard";  ///< a name of budget_kinds()
  std::optional<std::uint64_t> steps, batch;
  std::optional<std::int64_t> width;
  std::optional<double> lr;        ///< of AdamW; recognisers train by SGD at a rate of their own
  std::string precision = "auto";  ///< as --precision of a run
};

/// What one training of an attacker is to be.
struct AttackTraining {
  std::uint64_t steps = 1, batch = 1;  ///< the batch is global, over all ranks
  std::int64_t width = 0;              ///< channels of the first stage; 0: the network says
  double lr = 0;
  std::string precision = "auto";
};

/// Pure. What a training has within a budget: those of `standard` unless the budget says something else.
AttackTraining within(const AttackBudget& budget, AttackTraining standard);

/// Declares --attack-budget, --attack-steps, --attack-batch, --attack-width, --attack-lr and --attack-precision.
void declare(Options& options, AttackBudget& budget);

}  // namespace facemae
