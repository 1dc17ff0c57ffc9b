// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace chiasm {
namespace {

using std::chrono::milliseconds;

struct Bench {
  std::chrono::nanoseconds now{0};
  std::ostringstream out;
  Progress::Clock clock() {
    return [this] { return now; };
  }
  std::string last_draw() const {
    const std::string text = out.str();
    return text.substr(text.rfind('\r') + 1);
  }
};

TEST(Progress, BarShowsShareRateAndTimeLeft) {
  Bench bench;
  Progress progress(bench.out, {.label = "training", .total = 100, .style = ProgressStyle::kBar, .columns = 100},
                    bench.clock());
  for (int step = 0; step <= 25; ++step, bench.now += milliseconds(200)) progress.update(step, "loss 0.5");
  // 5 steps a second, 75 to go.
  EXPECT_EQ(bench.last_draw(),
            "training  [######..................]  25 %  25/100 steps  5 steps/s  15 s left  loss 0.5\x1b[K");
  progress.finish();
  EXPECT_EQ(bench.out.str().back(), '\n');
}

TEST(Progress, BarIsDrawnAtMostTenTimesASecond) {
  Bench bench;
  Progress progress(bench.out, {.total = 10000, .style = ProgressStyle::kBar}, bench.clock());
  for (int step = 0; step < 10000; ++step, bench.now += milliseconds(1)) progress.update(step);
  const std::string text = bench.out.str();
  EXPECT_NEAR(static_cast<double>(std::count(text.begin(), text.end(), '\r')), 100, 1);
  EXPECT_EQ(text.find('\n'), text.npos);
}

TEST(Progress, BarFitsTheTerminal) {
  Bench bench;
  Progress progress(bench.out, {.total = 10, .style = ProgressStyle::kBar, .columns = 30}, bench.clock());
  progress.update(3, std::string(200, 'x'));
  EXPECT_EQ(bench.last_draw().size(), 29u + 3u);  // and the three bytes that clear the rest of the line
}

TEST(Progress, LinesComeEveryFewSecondsAndHaveNoControlBytes) {
  Bench bench;
  Progress progress(bench.out, {.label = "training", .total = 120, .style = ProgressStyle::kLines}, bench.clock());
  for (int step = 0; step <= 120; ++step, bench.now += milliseconds(500)) progress.update(step);
  progress.finish();
  progress.finish();
  const std::string text = bench.out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 12 + 1);  // 60 s, and the last state
  EXPECT_THAT(text, ::testing::StartsWith("training    8 %  10/120 steps  2 steps/s  55 s left\n"));
  EXPECT_THAT(text, ::testing::EndsWith("training  100 %  120/120 steps  2 steps/s\n"));
  EXPECT_EQ(text.find_first_of("\r\x1b"), text.npos);
}

TEST(Progress, RateFollowsTheLastSeconds) {
  Bench bench;
  Progress progress(bench.out, {.unit = "image", .style = ProgressStyle::kBar}, bench.clock());
  int done = 0;
  for (int i = 0; i < 100; ++i, bench.now += milliseconds(100)) progress.update(done += 10);
  for (int i = 0; i < 30; ++i, bench.now += milliseconds(1000)) progress.update(done += 1);
  EXPECT_THAT(bench.last_draw(), ::testing::HasSubstr("1 images/s"));
}

TEST(Progress, SlowWorkShowsSecondsPerUnit) {
  Bench bench;
  Progress progress(bench.out, {.unit = "epoch", .total = 3, .style = ProgressStyle::kBar}, bench.clock());
  progress.update(0);
  bench.now += std::chrono::seconds(50);
  progress.update(1);
  EXPECT_THAT(bench.last_draw(), ::testing::HasSubstr("1/3 epochs  50 s/epoch  1 min 40 s left"));
}

TEST(Progress, ResumedWorkDoesNotCountTheStepsBefore) {
  Bench bench;
  Progress progress(bench.out, {.total = 1000, .start = 900, .style = ProgressStyle::kBar}, bench.clock());
  bench.now += std::chrono::seconds(10);
  progress.update(910);
  EXPECT_THAT(bench.last_draw(), ::testing::HasSubstr("1 steps/s  1 min 30 s left"));
}

TEST(Progress, QuietPrintsNothing) {
  Bench bench;
  {
    Progress progress(bench.out, {.total = 10, .style = ProgressStyle::kQuiet}, bench.clock());
    for (int step = 0; step < 10; ++step, bench.now += std::chrono::seconds(10)) progress.update(step);
    progress.print_line("evaluated");
    progress.finish();
  }
  EXPECT_EQ(bench.out.str(), "");
}

TEST(Progress, LinesAppearAboveTheBar) {
  Bench bench;
  {
    Progress progress(bench.out, {.total = 10, .style = ProgressStyle::kBar}, bench.clock());
    progress.update(1);
    progress.print_line("epoch 1: 80.0 %");
    EXPECT_THAT(bench.out.str(), ::testing::HasSubstr("\r\x1b[Kepoch 1: 80.0 %\n\r["));
  }
  EXPECT_EQ(bench.out.str().back(), '\n');  // an exception on the way leaves a fresh line too
}

TEST(Progress, DurationsReadLikeWords) {
  EXPECT_EQ(duration_words(0.2), "0 s");
  EXPECT_EQ(duration_words(59.6), "1 min 00 s");
  EXPECT_EQ(duration_words(200), "3 min 20 s");
  EXPECT_EQ(duration_words(7500), "2 h 05 min");
  EXPECT_EQ(duration_words(7199), "2 h 00 min");
  EXPECT_EQ(duration_words(-1), "?");
  EXPECT_EQ(duration_words(1.0 / 0.0), "?");
}

}  // namespace
}  // namespace chiasm
