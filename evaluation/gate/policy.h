#pragma once
// What a release must satisfy, written down and hashed before anything is rebuilt (docs/PRIVACY.md, "The policy").
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/kinds.h"

namespace facemae {

/// One line of the policy: a metric and where it must stay.
struct Requirement {
  std::string block;                 ///< "linkability", "singling_out", ...
  std::string metric;                ///< a row of metric_kinds()
  std::vector<std::string> attacks;  ///< that must have run; empty: the metric is of no single attack
  std::optional<double> max, min;    ///< one of them
  double rate = 0;                   ///< false accepts or false positives that the metric is taken at; 0 none
  double percent = 0;                ///< of the people, for the most exposed ones
  std::int64_t gallery = 0;          ///< real photos that were searched, at most; 0 any number
  std::int64_t person_pairs_min = 0;
  bool gate = true;  ///< false: shown, not judged
};

/// An attack must find what is there, and nothing where nothing is: only then does its failure mean anything.
struct ControlRule {
  std::string name;                  ///< "planted", as in report.json but for case, blanks and underscores
  std::vector<std::string> attacks;  ///< empty: all
  bool positive = true;
  double min = 0;  ///< of a positive one
};

/// A claim of differential privacy: all of it, or none.
struct DpClaim {
  std::string unit, composition, sampler;
  double mu = 0, epsilon = 0, delta = 0;
};

struct Policy {
  std::string name, recipient;  ///< recipient: "public", "research", "internal"
  double alpha = 0.05;
  /// What the attackers are given. Declarations, for the data sheet; `pairs` also says which counts must have run.
  struct Threat {
    std::string gallery, also, holder;
    std::vector<std::string> pairs;
    bool weights_known = true, mechanism_known = true, secret_known = false;
  } threat;
  struct Sample {
    std::int64_t people_min = 0, nonmembers_min = 0, attacker_people_min = 0;
    double people_effective_min = 0;
  } sample;
  std::vector<Requirement> requirements;
  std::vector<ControlRule> controls;
  std::optional<DpClaim> dp;
  bool source_allows_derivatives = false;
  std::string licence_statement;
  std::string frozen_with;     ///< digest of the partition; "" when it is drawn only with the release
  std::string second_release;  ///< "never", "same_partition_only" or "if_measured" (by A8)
  std::string valid_until;     ///< ISO date
  std::string pictures;        ///< in the packed report: "none" or "released"
  std::string digest;          ///< BLAKE2b-256, hexadecimal, of the canonical text
};

/// Where a metric comes from.
enum class MetricSource { NamingOdds, OwnPicture, SmallestGroup, MostExposed, Reported };
struct MetricKind {
  const char* name;
  MetricSource source;
  bool of_attacks;  ///< one figure for each attack
  const char* help;
};
const std::vector<MetricKind>& metric_kinds();
/// "A0" ... "A14".
const std::vector<Named<int>>& attack_ids();

/// Strict: unknown keys, other types and values out of range are refused, all in one message. Throws ConfigError.
Policy policy_from(const std::string& text, const std::string& origin);
Policy read_policy(const std::string& file);

/// The policies that `facemae release --write-policy NAME FILE` writes, as starting points.
struct BuiltInPolicy {
  const char* name;
  const char* help;
  const char* text;
};
const std::vector<BuiltInPolicy>& built_in_policies();

}  // namespace facemae
