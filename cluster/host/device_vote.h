#pragma once
// Do the ranks' devices belong together, and what carries their tensors? One node with a broken driver must
// not drag the whole job onto its CPUs, and a job must not become slow without a word.
#include <functional>
#include <string>
#include <vector>

#include "cluster/host/control.h"
#include "cluster/host/device_report.h"
#include "core/error.h"

namespace facemae {

/// A back end of tensor collectives, as the vote sees it.
struct Carrier {
  std::string name;   ///< of --backend and of DeviceReport::back_ends
  std::string title;  ///< in messages
  /// Pure: why it cannot carry the tensors of these ranks, "" when it can.
  std::function<std::string(const DeviceReports&)> obstacle;
};

struct DeviceVote {
  std::string backend;    ///< the name of a carrier
  bool bfloat16 = false;  ///< every rank's GPU has it
  std::string warning;    ///< what is worth a line although it works
  /// Why the job may not go on, and the code that says what would help: BadConfiguration when the user must
  /// change something, PeerLost when single hosts lack what the others have, which then are named.
  std::string refusal;
  ExitCode code = ExitCode::Done;
  std::vector<std::string> hosts{};  ///< at fault, with PeerLost
};

/// Pure. device: auto | cpu | cuda | mixed, backend: auto or the name of a carrier, as asked for. Of the carriers
/// auto takes the first that can; the last one carries anything, by copies in host memory. Unless mixed was asked
/// for, all ranks must compute on the same model of GPU with the same driver, or all on CPUs.
DeviceVote vote_on_devices(const DeviceReports& of_ranks, const std::string& device,
                           const std::string& backend, const std::vector<Carrier>& carriers);

/// All ranks. Every rank gets the same vote, or the same exception: ConfigError, or
/// AgreedError (75, "DeviceLost").
DeviceVote agree_on_devices(Control& control, const DeviceReport& mine, const std::string& device,
                            const std::string& backend, const std::vector<Carrier>& carriers);

}  // namespace facemae
