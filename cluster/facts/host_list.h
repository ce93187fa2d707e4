#pragma once
// Names of hosts as Slurm writes them: n[1-3,7].

#include <string>
#include <vector>

namespace facemae {

/// {"n1", "n2", "n3", "n7", "login"} is "login,n[1-3,7]": each once; numbers keep their leading zeros.
std::string fold_hosts(std::vector<std::string> hosts);
/// The inverse; a text that is none, or means more than 65536 hosts, is no host.
std::vector<std::string> expand_hosts(const std::string& text);

}  // namespace facemae
