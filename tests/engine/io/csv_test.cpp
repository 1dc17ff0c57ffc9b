// SPDX-License-Identifier: Apache-2.0
// Dialects of tables as text, and numbers at the edge of double.
#include "engine/io/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/file_corpus.h"
#include "tests/support/process.h"

namespace chiasm::test {
namespace {

using testing::ElementsAre;

std::vector<std::vector<std::string>> rows_of(const std::string& text) {
  const TempFolder folder;
  write_text(folder / "table.csv", text);
  CsvReader reader(folder / "table.csv");
  std::vector<std::vector<std::string>> rows;
  for (std::vector<std::string> cells; reader.next(cells);) rows.push_back(cells);
  return rows;
}

TEST(Csv, ReadsDecimalCommasOfSpreadsheets) {
  EXPECT_THAT(rows_of("unit;rate\na;1,5\nb;-2,25e-3\nc;7\n"),
              ElementsAre(ElementsAre("unit", "rate"), ElementsAre("a", "1.5"), ElementsAre("b", "-2.25e-3"),
                          ElementsAre("c", "7")));
  EXPECT_THAT(rows_of("1,5\t2,5\n"), ElementsAre(ElementsAre("1.5", "2.5")));
  // Where commas separate, or numbers have points, they are what they were.
  EXPECT_THAT(rows_of("1,5,2\n"), ElementsAre(ElementsAre("1", "5", "2")));
  EXPECT_THAT(rows_of("a;1.5\nb;1,234\n"), ElementsAre(ElementsAre("a", "1.5"), ElementsAre("b", "1,234")));
  // Texts stay.
  EXPECT_THAT(rows_of("x,1;1,5\n1,2,3;2,5\n"), ElementsAre(ElementsAre("x,1", "1.5"), ElementsAre("1,2,3", "2.5")));
  EXPECT_THAT(rows_of("a;\"1,5\"\n"), ElementsAre(ElementsAre("a", "1.5")));
}

TEST(Csv, NumbersBeyondDoubleKeepTheirSignAndSize) {
  EXPECT_EQ(csv_number("1e-400"), 0.0);
  EXPECT_EQ(csv_number("-1e-400"), 0.0);
  EXPECT_EQ(csv_number("1e400"), HUGE_VAL);
  EXPECT_EQ(csv_number("-1e400"), -HUGE_VAL);
  EXPECT_EQ(csv_number("1e-99999"), 0.0);
  EXPECT_EQ(csv_number("-1e99999"), -HUGE_VAL);
  EXPECT_EQ(csv_number("4e-320"), 4e-320);
  EXPECT_FALSE(csv_number("1,5").has_value());
}

}  // namespace
}  // namespace chiasm::test
