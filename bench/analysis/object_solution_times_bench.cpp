// SPDX-License-Identifier: Apache-2.0
// Object solution times of one model (spec/neural_analysis.md section 10): 1320 images of 10 classes, 19 bins, 20 x 10
// splits of 1000 and 320 images, C = 5e4. Features are made up: rectified sums of latent causes whose variances fall as
// a power law, among them what the class determines, which grows from bin to bin.
//   object_solution_times_bench [--units N] [--bins N] [--trials N] [--power P] [--threads N] [--out FILE]
// Prints one JSON object; seconds are without making the features, of the clock and of all cores together. With --out,
// the features of the last bin go to FILE as float32 rows, for other programs.
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "analysis/behaviour/object_solution_times.h"
#include "kernels/vendor/blas.h"

namespace chiasm {
namespace {

constexpr std::int64_t kImages = 1320, kClasses = 10, kCauses = 400, kClassCauses = 60;

class Model {
 public:
  Model(std::int64_t units, double power) : units_(units), projection_(kCauses, units), cause_(kImages, kCauses) {
    std::normal_distribution<double> normal;
    for (float& v : projection_.values()) v = static_cast<float>(normal(random_));
    for (std::int64_t i = 0; i < kImages; ++i) {
      for (std::int64_t k = 0; k < kCauses; ++k) {
        cause_(i, k) = static_cast<float>(std::pow(static_cast<double>(k + 1), -power) * normal(random_));
      }
    }
    for (std::int64_t c = 0; c < kClasses * kClassCauses; ++c) class_cause_.push_back(normal(random_));
  }

  static std::int32_t label(std::int64_t image) { return static_cast<std::int32_t>(image / (kImages / kClasses)); }

  Matrix<float> features(const CpuStream& stream, double signal) {
    Matrix<float> cause = cause_, x(kImages, units_);
    for (std::int64_t i = 0; i < kImages; ++i) {
      for (std::int64_t k = 0; k < kClassCauses; ++k) {
        cause(i, k) += static_cast<float>(signal * class_cause_[static_cast<std::size_t>(label(i) * kClassCauses + k)]);
      }
    }
    gemm(stream, kImages, units_, kCauses, {cause.data(), kCauses, false}, {projection_.data(), units_, false}, 0.0f,
         x.data(), units_);
    std::normal_distribution<float> noise(0.0f, 0.3f);
    for (float& v : x.values()) v = std::max(0.0f, v + noise(random_));
    return x;
  }

 private:
  std::mt19937 random_{1};
  std::int64_t units_;
  Matrix<float> projection_, cause_;
  std::vector<double> class_cause_;
};

int run(int argc, char** argv) {
  std::int64_t units = 25088;
  int bins = 19, trials = 20, threads = 0;
  double power = 1.0;
  std::string out;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i], value = argv[i + 1];
    if (option == "--units") units = std::stoll(value);
    if (option == "--bins") bins = std::stoi(value);
    if (option == "--trials") trials = std::stoi(value);
    if (option == "--power") power = std::stod(value);
    if (option == "--threads") threads = std::stoi(value);
    if (option == "--out") out = value;
  }
  const CpuStream stream(threads);
  Model model(units, power);
  std::vector<std::int32_t> labels;
  PrimateSolutions primate;
  for (std::int64_t i = 0; i < kImages; ++i) {
    labels.push_back(Model::label(i));
    primate.i1.push_back(1.0 + 0.002 * static_cast<double>(i * 37 % 997));
    primate.times.push_back(100.0 + 0.1 * static_cast<double>(i * 53 % 991));
  }
  ObjectSolutionConfig config;
  config.trials = trials;
  using Clock = std::chrono::steady_clock;
  double making = 0.0, cpu_making = 0.0;
  const auto cpu = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
  const auto begin = Clock::now();
  const double cpu_begin = cpu();
  const auto result = object_solution_times<float>(
      stream, bins,
      [&](int bin) {
        const auto start = Clock::now();
        const double cpu_start = cpu();
        Matrix<float> x = model.features(stream, 0.15 * (bin + 1) / bins);
        if (!out.empty() && bin + 1 == bins) {
          std::ofstream(out, std::ios::binary)
              .write(reinterpret_cast<const char*>(x.data()), kImages * units * std::int64_t{sizeof(float)});
        }
        making += std::chrono::duration<double>(Clock::now() - start).count();
        cpu_making += cpu() - cpu_start;
        return Source<float>(std::move(x));
      },
      labels, primate, config);
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count() - making;
  const double cpu_seconds = cpu() - cpu_begin - cpu_making;
  std::cout << nlohmann::json{{"units", units},
                              {"bins", bins},
                              {"trials", trials},
                              {"splits", trials * config.splits},
                              {"power", power},
                              {"threads", stream.threads()},
                              {"seconds", seconds},
                              {"cpu_seconds", cpu_seconds},
                              {"accuracy_first_bin", result.accuracy.front()},
                              {"accuracy_last_bin", result.accuracy.back()},
                              {"solved", kImages - result.not_solved},
                              {"not_converged", result.not_converged}}
                   .dump(2)
            << "\n";
  return 0;
}

}  // namespace
}  // namespace chiasm

int main(int argc, char** argv) { return chiasm::run(argc, argv); }
