// SPDX-License-Identifier: Apache-2.0
// The elastic-net grid of the MEC studies (99 alphas x 100 ratios, two folds) on a sample of target units: 600 source
// units over 400 bins, 80 of which train. Writes the data where elastic_net_grid.py reads it, and prints one JSON line.
//
//     build/bench/elastic_net_grid_bench FOLDER [--units 8] [--threads 2]
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <random>
#include <string>

#include "analysis/maps/elastic_net_search.h"
#include "analysis/statistics/split.h"

namespace {

using chiasm::Matrix;

constexpr int kSide = 20, kBins = kSide * kSide, kSources = 600;

// Fields of a few bumps on a square arena, and noise.
void add_field(std::mt19937_64& random, Matrix<double>& rates, std::int64_t unit) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  const int bumps = 1 + static_cast<int>(random() % 6);
  for (int b = 0; b < bumps; ++b) {
    const double x = uniform(random) * kSide, y = uniform(random) * kSide;
    const double width = 1.5 + 2 * uniform(random), height = 1 + 5 * uniform(random);
    for (int i = 0; i < kBins; ++i) {
      const double dx = i % kSide - x, dy = i / kSide - y;
      rates(i, unit) += height * std::exp(-(dx * dx + dy * dy) / (2 * width * width));
    }
  }
  for (int i = 0; i < kBins; ++i) rates(i, unit) += 0.3 * normal(random);
}

void write(const std::string& path, const Matrix<double>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.values().size_bytes()));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: elastic_net_grid_bench FOLDER [--units 8] [--threads 2]\n");
    return 2;
  }
  const std::string folder = argv[1];
  int units = 8, threads = 2;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--units") units = std::atoi(argv[i + 1]);
    if (std::string(argv[i]) == "--threads") threads = std::atoi(argv[i + 1]);
  }
  std::mt19937_64 random(1);
  Matrix<double> rates(kBins, kSources + units);
  for (std::int64_t unit = 0; unit < rates.columns(); ++unit) add_field(random, rates, unit);
  const Matrix<double> train = chiasm::take_rows<double>(rates, chiasm::random_split(0, kBins, 0.2).train);
  Matrix<double> x(train.rows(), kSources), y(train.rows(), units);
  for (std::int64_t i = 0; i < train.rows(); ++i) {
    std::copy_n(train.row(i).begin(), kSources, x.row(i).begin());
    std::copy_n(train.row(i).begin() + kSources, units, y.row(i).begin());
  }
  const chiasm::CpuStream stream(threads);
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t processor = std::clock();
  const chiasm::ElasticNetScores scores = chiasm::elastic_net_scores<double>(stream, x, y, chiasm::mec_grid());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double processor_seconds = static_cast<double>(std::clock() - processor) / CLOCKS_PER_SEC;
  write(folder + "/x.f64", x);
  write(folder + "/y.f64", y);
  write(folder + "/scores.f64", scores.r);
  std::printf(
      "{\"rows\":%lld,\"sources\":%d,\"units\":%d,\"pairs\":%lld,\"threads\":%d,\"seconds\":%.6g,"
      "\"processor_seconds\":%.6g,\"not_converged\":%lld}\n",
      static_cast<long long>(x.rows()), kSources, units, static_cast<long long>(chiasm::mec_grid().pairs()), threads,
      seconds, processor_seconds, static_cast<long long>(scores.not_converged));
  return 0;
}
