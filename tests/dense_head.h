#pragma once
// A margin softmax over some of the classes and the update of their centres, in one process and with plain tensor
// operations: what the product's, which is spread over ranks, has to equal.
#include <torch/torch.h>

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

namespace facemae::dense {

using torch::Tensor;

struct Head {
  std::string margin = "arcface";
  double scale = 64;
  std::optional<double> filter;
  bool adamw = false;
  double learning_rate = 0.1, weight_decay = 5e-4, momentum = 0.9, beta1 = 0.9, beta2 = 0.95, eps = 1e-8;
};

/// Everything that lasts: centres [C, 512], moments, updates of each class, and the margin's statistics.
struct Lasting {
  Tensor centres, first, second, updates, statistics;
};

struct Outcome {
  double loss = 0, correct = 0;
  Tensor of_embeddings;  ///< [n, 512]
};

inline Tensor unit(const Tensor& x) { return x / x.norm(2, 1, true); }

/// Statistics after faces with these norms and cosines to their own classes.
inline Tensor moved(const Head& head, const Tensor& statistics, const Tensor& norms, const Tensor& own) {
  if (head.margin == "adaface") {
    const auto clipped = norms.clamp(0.001, 100);
    return 0.01 * torch::stack({clipped.mean(), clipped.std()}) + 0.99 * statistics;
  }
  if (head.margin == "curricularface")
    return torch::stack({0.01 * own.mean() + 0.99 * statistics[0], statistics[1]});
  return statistics;
}

/// Cosines of the own classes with the margin.
inline Tensor with_margin(const Head& head, const Tensor& c, const Tensor& norms, const Tensor& draws,
                          const Tensor& statistics) {
  constexpr double pi = std::numbers::pi;
  const auto turned = [&](const Tensor& m) {
    return torch::where(c.detach() > (pi - m).cos(), (c.acos() + m).cos(), c - m * m.sin());
  };
  const auto number = [&](double x) { return torch::full_like(c, x).detach(); };
  const std::string& kind = head.margin;
  if (kind == "arcface" || kind == "curricularface") return turned(number(0.5));
  if (kind == "cosface") return c - 0.4;
  if (kind == "combined") return (1.1 * c.acos() + 0.3).cos() - 0.2;  // tests stay below 1.1 theta + 0.3 = pi
  if (kind == "elastic-arc") return turned(0.5 + 0.05 * draws);
  if (kind == "elastic-cos") return c - (0.35 + 0.05 * draws);
  if (kind == "magface") {
    const auto m = 0.45 + 0.0035 * (norms.clamp(10, 110) - 10);
    return torch::where(c.detach() > 0, (c.acos() + m).cos(), c);
  }
  // adaface
  const auto quality =
      ((norms.detach().clamp(0.001, 100) - statistics[0]) / (statistics[1] + 0.001) * 0.333).clamp(-1, 1);
  const auto theta = (c.clamp(-0.999, 0.999).acos() - 0.4 * quality).clamp(0.001, pi - 0.001);
  return theta.cos() - 0.4 - 0.4 * quality;
}

/// Adds d loss / d centres to `of_centres` [C, 512]. `active` [A]: class numbers of those in the softmax, ascending.
inline Outcome softmax(const Head& head, const Lasting& at, const Tensor& embeddings, const Tensor& labels,
                       const Tensor& draws, const Tensor& active, double count, Tensor of_centres) {
  auto x = embeddings.detach().clone().requires_grad_(), w = at.centres.detach().clone().requires_grad_();
  const auto cosines = unit(x).matmul(unit(w).index_select(0, active).t()).clamp(-1, 1);
  const auto place = torch::searchsorted(active, labels).unsqueeze(1);
  const auto own = cosines.gather(1, place).squeeze(1), norms = x.norm(2, 1);
  const auto statistics = moved(head, at.statistics, norms.detach(), own.detach());
  auto others = cosines;
  if (head.filter) others = torch::where(others.detach() > *head.filter, torch::zeros_like(others), others);
  if (head.margin == "curricularface") {
    const auto bound = (own.detach().acos() + 0.5).cos().unsqueeze(1);
    others = torch::where(others.detach() > bound, others * (statistics[0] + others), others);
  }
  const auto logits =
      head.scale * others.scatter(1, place, with_margin(head, own, norms, draws, statistics).unsqueeze(1));
  auto loss = torch::cross_entropy_loss(logits, place.squeeze(1), /*weight=*/{}, at::Reduction::Sum) / count;
  if (head.margin == "magface") {
    const auto a = norms.clamp(10, 110);
    loss = loss + 35 * (a / (110.0 * 110) + 1 / a).sum() / count;
  }
  loss.backward();
  of_centres.add_(w.grad());
  const auto rest = cosines.detach().scatter(1, place, -2);
  return {loss.item<double>(), static_cast<double>((own.detach() > rest.amax(1)).sum().item<double>()),
          x.grad()};
}

/// The update of the active classes alone, each with a count of its own. `of_centres` [C, 512].
inline void update(const Head& head, Lasting& at, const Tensor& active, const Tensor& of_centres) {
  const auto rows = [&](const Tensor& all) { return all.index_select(0, active); };
  const auto c = rows(at.centres), m = rows(at.first), v = rows(at.second), g = rows(of_centres);
  const auto put = [&](Tensor& all, const Tensor& values) { all.index_copy_(0, active, values); };
  if (!head.adamw) {
    const auto now = head.momentum * m + g + head.weight_decay * c;
    put(at.first, now);
    put(at.centres, c - head.learning_rate * now);
    return;
  }
  const auto n = rows(at.updates) + 1;
  const auto first = head.beta1 * m + (1 - head.beta1) * g,
             second = head.beta2 * v + (1 - head.beta2) * g * g;
  const auto unbiased = [&](const Tensor& moment, double beta) {
    return moment / (1 - torch::pow(beta, n)).unsqueeze(1);
  };
  put(at.updates, n);
  put(at.first, first);
  put(at.second, second);
  put(at.centres, c * (1 - head.learning_rate * head.weight_decay) -
                      head.learning_rate * unbiased(first, head.beta1) /
                          (unbiased(second, head.beta2).sqrt() + head.eps));
}

}  // namespace facemae::dense
