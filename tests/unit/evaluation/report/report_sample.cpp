// Writes the sample report to the file named on the command line; report_browser_test.sh opens it.
#include "tests/unit/evaluation/report/report_sample.h"

#include <fstream>

int main(int count, char** words) {
  if (count != 2) return 2;
  std::ofstream file(words[1]);
  file << facemae::to_html(facemae::sample_report());
  return file.flush() ? 0 : 1;
}
