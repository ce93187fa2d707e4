#pragma once
// Who has come and is still alive, by files in a folder that all nodes see: while ranks join, MPI cannot tell, and
// whoever is stopped cannot either.

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "cluster/facts/machine.h"

namespace facemae {

struct AttendancePlace {
  Path folder;        ///< that all ranks see; one of its own is made in it
  std::string token;  ///< of this start, the same on all ranks
  int rank = 0;
  std::string host;
};

struct Absent {
  int rank = 0;      ///< -1: nobody knows which
  std::string host;  ///< "" when nothing tells
};

/// This rank's sign, which is touched twice a second until the end of this object.
class Attendance {
 public:
  explicit Attendance(AttendancePlace place);
  ~Attendance();  ///< removes the sign, and the folder when it is the last one
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

  /// Could the sign be left?
  bool present() const noexcept { return present_; }
  /// Of `ranks` ranks those that have left no sign, or whose sign was not touched for some seconds. No clocks of hosts
  /// are compared: the file system's is asked.
  std::vector<Absent> absent(int ranks) const;
  /// The signs are gone: somebody has told who is missing, and ends this start.
  bool closed() const;
  std::vector<std::string> hosts() const;  ///< of all that left a sign
  void remove() const noexcept;            ///< all signs of this start

 private:
  Path sign(int rank) const;
  AttendancePlace place_;
  Path folder_;
  bool present_ = false;
  std::jthread touching_;
};

/// The token of this start by what the launcher tells all of its processes; "" when it tells nothing.
std::string start_token(const Environment& environment);

}  // namespace facemae
