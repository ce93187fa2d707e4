#pragma once
// By which networks the doctor's own messages go.
#include <string>

#include "cluster/facts/machine.h"

namespace facemae {

/// Of the node's own name and towards Slurm's launcher, "10.9.0.0/24", joined by commas. "" where neither is known, or
/// where the user has told MPI what to take.
std::string own_networks(const Machine& machine);

/// While it lives, Open MPI is told to take these networks alone ("": any). Otherwise it tries all that there are, and the
/// doctor would wait for ever in the very one that it has to warn of.
class OwnNetworks {
 public:
  explicit OwnNetworks(const std::string& networks);
  ~OwnNetworks();
  OwnNetworks(const OwnNetworks&) = delete;
  OwnNetworks& operator=(const OwnNetworks&) = delete;

 private:
  bool told_;
};

}  // namespace facemae
