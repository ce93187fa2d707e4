#pragma once
// All images of a source of archives, for the tests of each kind of archive.

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "data/source/source.h"

namespace facemae::test_archives {

/// Name to content, or to "reject: reason".
inline std::map<std::string, std::string> streamed(const ImageSource& source) {
  std::map<std::string, std::string> result;
  for (std::size_t archive = 0; archive < source.archives(); ++archive)
    source.stream(archive, [&](ImageSource::Streamed image) {
      const std::string text(reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size());
      const bool fresh =
          result.emplace(source.name(image.entry), image.reject.empty() ? text : "reject: " + image.reject)
              .second;
      EXPECT_TRUE(fresh) << source.name(image.entry);
    });
  return result;
}

}  // namespace facemae::test_archives
