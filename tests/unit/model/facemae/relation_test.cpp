// Every relation loss against an independent computation: plain loops in double
// precision, formula by formula.
#include "model/facemae/relation.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <torch/torch.h>

#include <array>
#include <cmath>
#include <functional>
#include <map>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

using Rows = std::vector<std::vector<double>>;

Rows drawn(std::size_t rows, std::size_t width, std::uint64_t key) {
  Draws draws(key);
  Rows all(rows, std::vector<double>(width));
  for (auto& row : all)
    for (auto& value : row) value = 0.4 + draws.normal();
  return all;
}

torch::Tensor tensor_of(const Rows& rows, torch::ScalarType type = torch::kFloat32) {
  auto tensor = torch::empty(
      {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows[0].size())}, torch::kFloat64);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < rows[0].size(); ++k)
      tensor[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(k)] = rows[i][k];
  return tensor.to(type);
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

Rows unit(Rows rows) {
  for (auto& row : rows) {
    const double length = std::max(std::sqrt(dot(row, row)), 1e-8);
    for (auto& value : row) value /= length;
  }
  return rows;
}

Rows minus_mean(Rows rows) {
  for (std::size_t k = 0; k < rows[0].size(); ++k) {
    double mean = 0;
    for (const auto& row : rows) mean += row[k] / static_cast<double>(rows.size());
    for (auto& row : rows) row[k] -= mean;
  }
  return rows;
}

double cosine(const Rows& e, const Rows& f) {
  const Rows u = unit(e), v = unit(f);
  double sum = 0;
  for (std::size_t i = 0; i < u.size(); ++i)
    for (std::size_t j = 0; j < u.size(); ++j)
      if (i != j) sum += std::pow(dot(u[i], u[j]) - dot(v[i], v[j]), 2);
  return sum / static_cast<double>(u.size() * (u.size() - 1));
}

double distance(const Rows& e, const Rows& f) {
  const std::size_t count = e.size();
  const double pairs = static_cast<double>(count * (count - 1));
  const auto apart = [](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 1e-12;
    for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
    return std::sqrt(sum);
  };
  double mean_e = 0, mean_f = 0, sum = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j)
      if (i != j) mean_e += apart(e[i], e[j]) / pairs, mean_f += apart(f[i], f[j]) / pairs;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j) {
      if (i == j) continue;
      const double x = std::abs(apart(e[i], e[j]) / mean_e - apart(f[i], f[j]) / mean_f);
      sum += x < 1 ? 0.5 * x * x : x - 0.5;
    }
  return sum / pairs;
}

double similarity(const Rows& e, const Rows& f) {
  const auto relation = [](const Rows& x) {
    Rows gram(x.size(), std::vector<double>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t j = 0; j < x.size(); ++j) gram[i][j] = dot(x[i], x[j]);
    return unit(gram);
  };
  const Rows a = relation(e), b = relation(f);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.size(); ++j) sum += (a[i][j] - b[i][j]) * (a[i][j] - b[i][j]);
  return sum / static_cast<double>(a.size() * a.size());
}

double pkt(const Rows& e, const Rows& f) {
  const auto probabilities = [](const Rows& x) {
    const Rows u = unit(x);
    Rows p(u.size(), std::vector<double>(u.size(), 0));
    for (std::size_t i = 0; i < u.size(); ++i) {
      double total = 0;
      for (std::size_t j = 0; j < u.size(); ++j)
        if (j != i) total += p[i][j] = (1 + dot(u[i], u[j])) / 2;
      for (auto& value : p[i]) value /= total;
    }
    return p;
  };
  const Rows p = probabilities(e), q = probabilities(f);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    for (std::size_t j = 0; j < p.size(); ++j) sum += p[i][j] * std::log((p[i][j] + 1e-7) / (q[i][j] + 1e-7));
  return sum / static_cast<double>(p.size());
}

double moments(const Rows& e, const Rows& f) {
  const Rows u = unit(e), v = unit(f);
  const std::size_t width = u[0].size(), count = u.size();
  const auto mean = [&](const Rows& x, std::size_t k) {
    double sum = 0;
    for (const auto& row : x) sum += row[k];
    return sum / static_cast<double>(count);
  };
  const auto covariance = [&](const Rows& x, std::size_t k, std::size_t l) {
    double sum = 0;
    for (const auto& row : x) sum += (row[k] - mean(x, k)) * (row[l] - mean(x, l));
    return sum / static_cast<double>(count);
  };
  double loss = 0;
  for (std::size_t k = 0; k < width; ++k) loss += std::pow(mean(u, k) - mean(v, k), 2);
  for (std::size_t k = 0; k < width; ++k)
    for (std::size_t l = 0; l < width; ++l)
      loss += std::pow(covariance(u, k, l) - covariance(v, k, l), 2) / static_cast<double>(width);
  return loss;
}

struct Variant {
  std::string name;
  std::function<double(const Rows&, const Rows&)> formula;
};

class RelationVariant : public testing::TestWithParam<Variant> {
 protected:
  RelationLoss loss(const torch::Tensor& real, const torch::Tensor& rebuilt, bool center = false,
                    RelationForm form = {}) {
    const std::array<std::int64_t, 1> rows{real.size(0)};
    return relation_share(real, rebuilt, relation_from(GetParam().name), center, ranks_, rows, form);
  }
  AloneCommunicator ranks_;
};

TEST_P(RelationVariant, EqualsItsFormula) {
  ASSERT_TRUE(GetParam().formula) << "variants() has no formula for it";
  for (const std::size_t count : {std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
    const Rows e = drawn(count, 5, 1), f = drawn(count, 5, 2);
    const double expected = GetParam().formula(e, f);
    const double exact =
        loss(tensor_of(e, torch::kFloat64), tensor_of(f, torch::kFloat64)).share.item<double>();
    EXPECT_NEAR(exact, expected, 1e-12 + 1e-9 * expected) << count << " rows";
    const auto single = loss(tensor_of(e), tensor_of(f)).share;
    EXPECT_EQ(single.scalar_type(), torch::kFloat32);
    EXPECT_NEAR(single.item<double>(), expected, 1e-7 + 2e-5 * expected) << count << " rows";
  }
}

TEST_P(RelationVariant, EqualsItsFormulaOfCentredEmbeddings) {
  const Rows e = drawn(6, 4, 3), f = drawn(6, 4, 4);
  const double expected = GetParam().formula(minus_mean(e), minus_mean(f));
  const double found =
      loss(tensor_of(e, torch::kFloat64), tensor_of(f, torch::kFloat64), true).share.item<double>();
  EXPECT_NEAR(found, expected, 1e-12 + 1e-9 * expected);
}

TEST_P(RelationVariant, IsZeroWithoutGradientWhenBothSidesAreEqual) {
  const auto e = tensor_of(drawn(6, 8, 5), torch::kFloat64);
  const auto f = e.clone().requires_grad_();
  const auto result = loss(e, f);
  EXPECT_NEAR(result.share.item<double>(), 0, 1e-15);
  result.share.backward();
  EXPECT_LT(f.grad().norm().item<double>(), 1e-6);
  EXPECT_NEAR(result.correlation.item<double>(), 1, 1e-6);
}

TEST_P(RelationVariant, HasTheGradientOfFiniteDifferences) {
  for (const bool center : {false, true}) {
    Rows f = drawn(5, 4, 7);
    const auto e = tensor_of(drawn(5, 4, 6), torch::kFloat64);
    const auto at = tensor_of(f, torch::kFloat64).requires_grad_();
    loss(e, at, center).share.backward();
    constexpr double h = 1e-6;
    for (std::size_t i = 0; i < f.size(); ++i)
      for (std::size_t k = 0; k < f[0].size(); ++k) {
        const double before = f[i][k];
        f[i][k] = before + h;
        const double up = loss(e, tensor_of(f, torch::kFloat64), center).share.item<double>();
        f[i][k] = before - h;
        const double down = loss(e, tensor_of(f, torch::kFloat64), center).share.item<double>();
        f[i][k] = before;
        const double found =
            at.grad()[static_cast<std::int64_t>(i)][static_cast<std::int64_t>(k)].item<double>();
        EXPECT_NEAR(found, (up - down) / (2 * h), 1e-8) << i << ' ' << k << " center " << center;
      }
  }
}

TEST_P(RelationVariant, SendsGradientsToTheRebuiltSideOnly) {
  const auto e = tensor_of(drawn(6, 8, 8)).requires_grad_(), f = tensor_of(drawn(6, 8, 9)).requires_grad_();
  loss(e, f).share.backward();
  EXPECT_FALSE(e.grad().defined());
  EXPECT_GT(f.grad().norm().item<double>(), 1e-4);
}

TEST_P(RelationVariant, StaysFiniteForEqualAndEmptyEmbeddings) {
  auto e = tensor_of(drawn(6, 8, 8));
  auto f = tensor_of(drawn(6, 8, 9));
  e[1] = e[0];
  f[1] = f[0];
  f[2].zero_();
  f.requires_grad_();
  const auto result = loss(e, f);
  result.share.backward();
  EXPECT_TRUE(std::isfinite(result.share.item<double>()));
  EXPECT_TRUE(std::isfinite(result.correlation.item<double>()));
  EXPECT_TRUE(f.grad().isfinite().all().item<bool>());
}

TEST_P(RelationVariant, IsTheSameUnderAutocast) {
  const auto e = tensor_of(drawn(6, 8, 8)), f = tensor_of(drawn(6, 8, 9));
  const double plain = loss(e, f).share.item<double>();
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto cast = loss(e, f).share;
  EXPECT_TRUE(at::autocast::is_autocast_enabled(at::kCPU)) << "the caller's setting is lost";
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_EQ(cast.scalar_type(), torch::kFloat32);
  EXPECT_EQ(cast.item<double>(), plain);
}

TEST_P(RelationVariant, IsTheSameFromPairsAndWithoutItsFigure) {
  const auto e = tensor_of(drawn(9, 5, 8), torch::kFloat64);
  const auto gradient = [&](RelationForm form, RelationLoss& found) {
    const auto f = tensor_of(drawn(9, 5, 9), torch::kFloat64).requires_grad_();
    found = loss(e, f, false, form);
    found.share.backward();
    return f.grad();
  };
  RelationLoss usual, pairs, without;
  const auto of_usual = gradient({}, usual), of_pairs = gradient({.pairs = true}, pairs),
             of_without = gradient({.correlation = false}, without);
  EXPECT_NEAR(usual.share.item<double>(), pairs.share.item<double>(), 1e-12);
  EXPECT_NEAR(usual.correlation.item<double>(), pairs.correlation.item<double>(), 1e-6);
  EXPECT_LT((of_usual - of_pairs).norm().item<double>(), 1e-10 * of_pairs.norm().item<double>());
  EXPECT_TRUE(torch::equal(without.share, usual.share));
  EXPECT_TRUE(torch::equal(of_without, of_usual));
  EXPECT_EQ(without.correlation.item<double>(), 0);
}

TEST_P(RelationVariant, ChangesLittleWhenUnitRowsTravelInBfloat16) {
  const auto e = tensor_of(drawn(9, 40, 8)), f = tensor_of(drawn(9, 40, 9));  // wider than faces are many
  const double full = loss(e, f).share.item<double>(),
               rounded = loss(e, f, false, {.bfloat16 = true}).share.item<double>();
  EXPECT_NEAR(rounded, full, 0.02 * full);
  const std::string name = GetParam().name;
  EXPECT_EQ(rounded != full, name == "cosine" || name == "pkt") << "others do not read unit rows";
}

TEST_P(RelationVariant, RefusesASingleFace) {
  EXPECT_THROW(loss(torch::ones({1, 4}), torch::ones({1, 4})), ConfigError);
}

/// Every row of the table, with its formula.
std::vector<Variant> variants() {
  std::map<std::string, double (*)(const Rows&, const Rows&)> formulas = {{"cosine", cosine},
                                                                          {"distance", distance},
                                                                          {"pkt", pkt},
                                                                          {"similarity", similarity},
                                                                          {"moments", moments}};
  std::vector<Variant> all;
  for (const auto& name : relation_names())
    if (name != "none") all.push_back({name, formulas[name]});
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, RelationVariant, testing::ValuesIn(variants()),
                         [](const auto& variant) { return variant.param.name; });

TEST(Relation, CorrelatesTheTwoCosineMatricesOffTheDiagonal) {
  const Rows e = drawn(6, 4, 10), f = drawn(6, 4, 11), u = unit(e), v = unit(f);
  double a = 0, b = 0, aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 6; ++j) {
      if (i == j) continue;
      const double x = dot(u[i], u[j]), y = dot(v[i], v[j]);
      a += x / 30, b += y / 30, aa += x * x / 30, bb += y * y / 30, ab += x * y / 30;
    }
  const double expected = (ab - a * b) / std::sqrt((aa - a * a) * (bb - b * b));
  AloneCommunicator ranks;
  const std::array<std::int64_t, 1> rows{6};
  const auto rebuilt = tensor_of(f).requires_grad_();
  const auto result = relation_share(tensor_of(e), rebuilt, relation_from("cosine"), false, ranks, rows);
  EXPECT_NEAR(result.correlation.item<double>(), expected, 1e-5);
  EXPECT_FALSE(result.correlation.requires_grad());
}

TEST(Relation, IsFoundByName) {
  for (const auto& name : relation_names()) EXPECT_NO_THROW(relation_from(name)) << name;
  EXPECT_STREQ(relation_from("moments").kind()->name, "moments");
  EXPECT_EQ(relation_from("none"), Relation::None);
  try {
    relation_from("cosin");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("cosine"));
  }
}

TEST(Relation, NoneCostsNothing) {
  AloneCommunicator ranks;
  ranks.abort();  // so that any collective would throw
  const std::array<std::int64_t, 1> rows{2};
  const auto result =
      relation_share(torch::ones({2, 3}), torch::zeros({2, 3}), Relation::None, true, ranks, rows);
  EXPECT_EQ(result.share.item<float>(), 0);
}

TEST(Relation, ExplainsRowsThatDoNotMatch) {
  AloneCommunicator ranks;
  const std::array<std::int64_t, 1> rows{3};
  EXPECT_THROW(
      relation_share(torch::ones({2, 3}), torch::ones({2, 3}), relation_from("cosine"), false, ranks, rows),
      Error);
}

}  // namespace
}  // namespace facemae
