#pragma once
// What a failing call says.
#include <functional>
#include <string>

namespace facemae::test {

/// The message of the `Kind` that `act` throws, "" when it throws nothing; other exceptions pass through.
template <class Kind>
std::string why(const std::function<void()>& act) {
  try {
    act();
  } catch (const Kind& error) {
    return error.what();
  }
  return "";
}

}  // namespace facemae::test
