#pragma once
// The table of what `facemae doctor` checks: from facts of all ranks to findings, by pure functions.

#include <span>
#include <string>
#include <vector>

#include "cluster/facts/attendance.h"
#include "cluster/facts/facts.h"

namespace facemae {

enum class State { Ok, Note, Warning, Problem };

struct Finding {
  std::string id;
  State state = State::Ok;
  std::vector<std::string> hosts;  ///< of which it is said; none: nobody knows which
  std::string found, wanted;       ///< short values, as far as there are any
  std::string text, remedy;        ///< a sentence without the host, and the line to type
  bool of_node = false;            ///< a problem of these hosts alone: others are fine
};

/// All that is known, by rank.
struct Gathered {
  std::vector<Facts> ranks;    ///< of those that answered
  std::vector<Absent> absent;  ///< the others
  bool multi_node() const;
  /// The ranks of each node, in their order.
  std::vector<std::vector<const Facts*>> nodes() const;
  const Facts& first() const { return ranks.front(); }
};

/// Collects what one check finds.
class Lines {
 public:
  Lines(std::string id, std::string remedy) : id_(std::move(id)), remedy_(std::move(remedy)) {}
  void ok(const std::string& text) { add(State::Ok, {}, text, ""); }
  void note(const std::string& text) { add(State::Note, {}, text, ""); }
  /// A note that says what to do: it is always told.
  void advise(const std::string& text, const std::string& remedy) { add(State::Note, {}, text, remedy); }
  /// Of hosts, none: of all. The remedy of the table, unless one is given. Lines that say the same are one, of all their
  /// hosts.
  Finding& warn(std::vector<std::string> hosts, const std::string& text, const std::string& remedy = "");
  Finding& problem(std::vector<std::string> hosts, const std::string& text, const std::string& remedy = "");
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  Finding& add(State state, std::vector<std::string> hosts, const std::string& text,
               const std::string& remedy);
  std::string id_, remedy_;
  std::vector<Finding> findings_;
};

/// One row. States that a check has not are "".
struct Check {
  const char* id;
  const char* looks_at;                ///< and how
  const char *ok, *warning, *problem;  ///< when, with thresholds
  const char* remedy;
  bool of_node;  ///< a problem on some nodes, of which others are free, is theirs: another node helps
  bool slows;    ///< a warning means that a run is slow
  void (*judge)(const Gathered& all, Lines& lines);
};

/// All rows, in the order of the documentation.
std::vector<Check> all_checks();
/// Throws ConfigError with the nearest id.
Check check_of(const std::string& id);

/// Pure. The worst first; a check without facts says nothing.
std::vector<Finding> judge(const Gathered& all);

// The rows of the table by subject.
std::span<const Check> mpi_checks();
std::span<const Check> cpu_checks();
std::span<const Check> memory_checks();
std::span<const Check> gpu_checks();
std::span<const Check> network_checks();
std::span<const Check> folder_checks();
std::span<const Check> storage_checks();
std::span<const Check> slurm_checks();
std::span<const Check> software_checks();

}  // namespace facemae
