#pragma once
// What a Gaussian mechanism of differential privacy promises (Gaussian DP: Dong, Roth and Su 2022, arXiv 1905.02383):
// with parameter mu, telling two neighbouring inputs apart is no easier than telling N(0, 1) from N(mu, 1).

namespace facemae {

/// The smallest delta for which a mu-GDP mechanism is (epsilon, delta)-DP (their corollary 1):
/// Phi(-epsilon/mu + mu/2) - e^epsilon Phi(-epsilon/mu - mu/2). mu above 0.
double delta_of(double mu, double epsilon);

/// The epsilon for which a mu-GDP mechanism is (epsilon, delta)-DP, by bisection of delta_of, rounded up. mu in
/// (0, 16], delta in (0, 1). Throws ConfigError otherwise.
double epsilon_of(double mu, double delta);

/// With this probability at most anybody names the input among `candidates` equally likely ones, each a neighbour of
/// the others: Phi(Phi^-1(1/N) + mu), the power of the best test of size 1/N. candidates >= 2.
double rank1_bound(double mu, double candidates);

}  // namespace facemae
