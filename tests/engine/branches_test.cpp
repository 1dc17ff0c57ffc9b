// SPDX-License-Identifier: Apache-2.0
#include "engine/branches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace chiasm::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

StepAccess access(std::vector<MemoryRange> reads, std::vector<MemoryRange> writes) {
  return {std::move(reads), std::move(writes)};
}

TEST(Branches, ReadersWaitForWritersAndWritersForReaders) {
  const std::vector<StepAccess> steps{access({}, {{0, 8}}), access({{0, 8}}, {{8, 16}}), access({{0, 8}}, {{16, 24}}),
                                      access({}, {{0, 8}}), access({{4, 6}}, {{24, 32}})};
  EXPECT_THAT(find_dependences(steps),
              ElementsAre(IsEmpty(), ElementsAre(0), ElementsAre(0), ElementsAre(0, 1, 2), ElementsAre(3)));
}

TEST(Branches, PartsOfABufferAreKeptApart) {
  // Two halves are written, the whole is read, one half is written again and the other one read.
  const std::vector<StepAccess> steps{access({}, {{0, 8}}), access({}, {{8, 16}}), access({{0, 16}}, {{16, 17}}),
                                      access({}, {{8, 16}}), access({{0, 8}}, {{17, 18}})};
  EXPECT_THAT(find_dependences(steps),
              ElementsAre(IsEmpty(), IsEmpty(), ElementsAre(0, 1), ElementsAre(1, 2), ElementsAre(0)));
}

TEST(Branches, EmptyRangesTouchNothing) {
  const std::vector<StepAccess> steps{access({}, {{4, 8}}), access({{6, 6}}, {{5, 5}})};
  EXPECT_THAT(find_dependences(steps), ElementsAre(IsEmpty(), IsEmpty()));
}

TEST(Branches, IndependentChainsRunBesideEachOtherWithoutWaits) {
  // Two chains that take turns: each step needs the one two before it.
  std::vector<StepAccess> steps;
  for (std::uintptr_t i = 0; i < 20; ++i) {
    steps.push_back(
        access({{i % 2 * 100 + i / 2, i % 2 * 100 + i / 2 + 1}}, {{i % 2 * 100 + i / 2 + 1, i % 2 * 100 + i / 2 + 2}}));
  }
  const std::vector<ScheduledStep> schedule = schedule_branches(steps, 4);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    EXPECT_THAT(schedule[i].waits, IsEmpty()) << i;
    EXPECT_EQ(schedule[i].branch, schedule[i % 2].branch) << i;
  }
  EXPECT_NE(schedule[0].branch, schedule[1].branch);
}

TEST(Branches, OneBranchNeverWaits) {
  const std::vector<StepAccess> steps{access({}, {{0, 8}}), access({{0, 8}}, {{8, 16}}), access({{0, 16}}, {{0, 8}})};
  for (const ScheduledStep& step : schedule_branches(steps, 1)) {
    EXPECT_EQ(step.branch, 0);
    EXPECT_THAT(step.waits, IsEmpty());
  }
}

// Runs random programs in a random order that the schedule allows, and compares what every step read with the sequence.
class RandomPrograms : public testing::TestWithParam<int> {};

struct Machine {
  std::vector<std::uint64_t> memory = std::vector<std::uint64_t>(64, 0);
  std::vector<std::uint64_t> saw;

  void run(const StepAccess& step, std::size_t index) {
    std::uint64_t hash = 1469598103934665603ull + index;
    for (const MemoryRange& range : step.reads) {
      for (std::uintptr_t at = range.begin; at < range.end; ++at) hash = (hash ^ memory[at]) * 1099511628211ull;
    }
    saw[index] = hash;
    for (const MemoryRange& range : step.writes) {
      for (std::uintptr_t at = range.begin; at < range.end; ++at) memory[at] = hash + at;
    }
  }
};

TEST_P(RandomPrograms, AnyAllowedOrderGivesTheSameResults) {
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  const auto range = [&] {
    const std::uintptr_t begin = random() % 60;
    return MemoryRange{begin, begin + random() % 5};
  };
  std::vector<StepAccess> steps(60);
  for (StepAccess& step : steps) {
    for (unsigned k = random() % 3; k > 0; --k) step.reads.push_back(range());
    for (unsigned k = 1 + random() % 2; k > 0; --k) step.writes.push_back(range());
  }
  Machine expected;
  expected.saw.resize(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) expected.run(steps[i], i);

  const int branches = 1 + GetParam() % 5;
  const std::vector<ScheduledStep> schedule = schedule_branches(steps, branches);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<std::vector<std::size_t>> queue(static_cast<std::size_t>(branches));
    for (std::size_t i = steps.size(); i-- > 0;) queue[schedule[i].branch].push_back(i);
    std::vector<bool> done(steps.size(), false);
    Machine machine;
    machine.saw.resize(steps.size());
    for (std::size_t count = 0; count < steps.size(); ++count) {
      std::vector<std::size_t> ready;
      for (std::size_t b = 0; b < queue.size(); ++b) {
        if (queue[b].empty()) continue;
        const std::vector<int>& waits = schedule[queue[b].back()].waits;
        if (std::all_of(waits.begin(), waits.end(), [&](int w) { return done[static_cast<std::size_t>(w)]; })) {
          ready.push_back(b);
        }
      }
      ASSERT_FALSE(ready.empty()) << "the schedule cannot go on";
      std::vector<std::size_t>& chosen = queue[ready[random() % ready.size()]];
      machine.run(steps[chosen.back()], chosen.back());
      done[chosen.back()] = true;
      chosen.pop_back();
    }
    ASSERT_EQ(machine.saw, expected.saw);
    ASSERT_EQ(machine.memory, expected.memory);
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (int w : schedule[i].waits) {
      EXPECT_TRUE(schedule[static_cast<std::size_t>(w)].awaited);
      EXPECT_NE(schedule[static_cast<std::size_t>(w)].branch, schedule[i].branch);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Branches, RandomPrograms, testing::Range(0, 20));

}  // namespace
}  // namespace chiasm::test
