#pragma once
// What `facemae doctor` says: as text, as JSON, and in a word.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cluster/doctor/checks.h"
#include "cluster/doctor/measured.h"
#include "core/error.h"

namespace facemae {

struct Diagnosis {
  std::vector<Finding> findings;  ///< of judge()
  std::vector<Measured> measured;
  std::size_t nodes = 1;  ///< that were looked at
};

/// Done: a run would work. PeerLost: it would not with some of the nodes. BadConfiguration: it would not, and the user
/// can cure it.
ExitCode verdict(const std::vector<Finding>& findings);
/// Hosts that are at fault where others are fine; sorted.
std::vector<std::string> bad_nodes(const std::vector<Finding>& findings);

/// The worst first; what is well only with `all`. The last line says whether a run would work.
std::string report_text(const Diagnosis& diagnosis, bool all);
nlohmann::ordered_json report_json(const Diagnosis& diagnosis);

/// A row of the table for a reader, and the whole table as docs/DOCTOR.md has it.
std::string explained(const Check& check);
std::string table_of_checks();

}  // namespace facemae
