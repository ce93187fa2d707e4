// The calls of this machine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cluster/facts/cards.h"
#include "cluster/facts/machine.h"
#include "core/host.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): not in every unistd.h

namespace facemae {
namespace {

/// Reads until the end or the deadline; false at the deadline.
bool read_until(int descriptor, std::string& text, std::chrono::steady_clock::time_point deadline) {
  std::array<char, 4096> block{};
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
    const ssize_t bytes = ::read(descriptor, block.data(), block.size());
    if (bytes <= 0) return true;
    text.append(block.data(), static_cast<std::size_t>(bytes));
  }
}

std::optional<std::string> run_words(const std::vector<std::string>& words, std::chrono::seconds limit) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  bool done = false;
  if (failed == 0) {
    done = read_until(ends[0], text, std::chrono::steady_clock::now() + limit);
    if (!done) ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    done = done && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  ::close(ends[0]);
  return done ? std::optional(text) : std::nullopt;
}

std::optional<DiskSpace> space_of(const Path& folder) {
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) != 0) return {};
  return DiskSpace{
      .free = static_cast<std::int64_t>(facts.f_bavail) * static_cast<std::int64_t>(facts.f_frsize),
      .inodes = facts.f_files == 0 ? -1 : static_cast<std::int64_t>(facts.f_favail)};
}

std::string attribute_of(const Path& file, const std::string& name) {
  std::array<char, 4096> value{};
  const ssize_t bytes = ::getxattr(file.c_str(), name.c_str(), value.data(), value.size());
  return bytes < 0 ? "" : std::string(value.data(), static_cast<std::size_t>(bytes));
}

std::string address_text(const sockaddr* address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  sockaddr_in v4{};
  std::memcpy(&v4, address, sizeof v4);
  return ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size()) == nullptr ? "" : text.data();
}

Resolved resolve(const std::string& host) {
  addrinfo wanted{}, *found = nullptr;
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  Resolved resolved;
  if (const int code = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found); code != 0) {
    resolved.fault = ::gai_strerror(code);
    return resolved;
  }
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next)
    resolved.addresses.push_back(address_text(one->ai_addr));
  ::freeaddrinfo(found);
  return resolved;
}

/// Sends nothing: connecting a UDP socket only asks the kernel for the way.
std::string source_address(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return "";
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return "";
  std::string from;
  sockaddr generic{};
  std::memcpy(&generic, &to, sizeof to);
  socklen_t bytes = sizeof generic;
  if (::connect(descriptor, &generic, sizeof generic) == 0 &&
      ::getsockname(descriptor, &generic, &bytes) == 0)
    from = address_text(&generic);
  ::close(descriptor);
  return from;
}

/// A connection to a port that hardly anybody listens on: it is refused where the host is there, and dropped by a
/// firewall that would drop MPI's connections, too.
bool answers(const std::string& address) {
  constexpr int kPort = 60009, kMilliseconds = 1000;
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kPort);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return false;
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return true;  // unknown
  sockaddr generic{};
  std::memcpy(&generic, &to, sizeof to);
  int fault = ::connect(descriptor, &generic, sizeof generic) == 0 ? 0 : errno;
  pollfd waiting{.fd = descriptor, .events = POLLOUT, .revents = 0};
  if (fault == EINPROGRESS && ::poll(&waiting, 1, kMilliseconds) > 0) {
    socklen_t bytes = sizeof fault;
    ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &fault, &bytes);
  }
  ::close(descriptor);
  return fault == 0 || fault == ECONNREFUSED;
}

std::vector<std::pair<std::string, std::string>> all_addresses() {
  std::vector<std::pair<std::string, std::string>> all;
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return all;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || one->ifa_netmask == nullptr)
      continue;
    sockaddr_in mask{};
    std::memcpy(&mask, one->ifa_netmask, sizeof mask);
    all.emplace_back(one->ifa_name,
                     address_text(one->ifa_addr) + "/" +
                         std::to_string(std::popcount(static_cast<std::uint32_t>(mask.sin_addr.s_addr))));
  }
  ::freeifaddrs(first);
  return all;
}

}  // namespace

Calls system_calls() {
  return {.run = run_words,
          .space = space_of,
          .attribute = attribute_of,
          .resolve = resolve,
          .source_address = source_address,
          .answers = answers,
          .addresses = all_addresses,
          .cards = cards_of_driver,
          .user = [] { return static_cast<unsigned>(::geteuid()); }};
}

Machine this_machine() {
  return {.root = "/", .environment = process_environment(), .calls = system_calls(), .host = host_name()};
}

}  // namespace facemae
