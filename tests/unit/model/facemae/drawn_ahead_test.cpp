#include "model/facemae/drawn_ahead.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "core/error.h"
#include "tests/fake_side_stream.h"

namespace facemae {
namespace {

using test::FakeSideStream;

std::vector<torch::Tensor> numbers(std::uint64_t number) {
  return {torch::full({2, 3}, static_cast<double>(number)),
          torch::arange(4.0).add(static_cast<double>(number))};
}

void expect_numbers(const std::vector<torch::Tensor>& found, std::uint64_t number) {
  const auto expected = numbers(number);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(torch::equal(found[i], expected[i])) << number;
}

TEST(DrawnAhead, GivesTheTensorsOfAnyNumberInAnyOrder) {
  DrawnAhead ahead(numbers, std::make_shared<FakeSideStream>());
  for (const std::uint64_t number : {7, 8, 9, 10, 3, 4, 4, 5}) expect_numbers(ahead.take(number), number);
}

TEST(DrawnAhead, DrawsTheNextNumberOnAThreadAndCopiesItBeforeItIsAskedFor) {
  std::atomic<std::uint64_t> newest = 0;
  std::atomic<bool> elsewhere = false;
  const auto here = std::this_thread::get_id();
  const auto side = std::make_shared<FakeSideStream>();
  DrawnAhead ahead(
      [&](std::uint64_t number) {
        auto drawn = numbers(number);
        elsewhere = std::this_thread::get_id() != here;
        newest = number;
        return drawn;
      },
      side);
  const auto first = ahead.take(5);
  while (newest != 6) std::this_thread::yield();
  EXPECT_TRUE(elsewhere);
  expect_numbers(first, 5);  // still in use
  (void)side->take_events();
  const auto second = ahead.take(6);
  expect_numbers(second, 6);
  expect_numbers(first, 5);
  const auto events = side->take_events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "host waits"), 0);
  EXPECT_EQ(std::count(events.begin(), events.end(), "computing waits"), 1);
}

TEST(DrawnAhead, SaysWhatWentWrongOnTheThread) {
  DrawnAhead ahead(
      [](std::uint64_t number) {
        if (number == 2) throw Error("no number two");
        return numbers(number);
      },
      std::make_shared<FakeSideStream>());
  expect_numbers(ahead.take(1), 1);
  EXPECT_THROW((void)ahead.take(2), Error);
}

}  // namespace
}  // namespace facemae
