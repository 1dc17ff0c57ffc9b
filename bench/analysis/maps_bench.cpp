// SPDX-License-Identifier: Apache-2.0
// Fits of the analysis layer on matrices that maps_bench.py wrote, driven by it: reads one line per fit,
//   pls | ridge | pca
// and answers with a JSON line. See maps_bench.py.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "analysis/maps/map.h"
#include "bench/training_step/measure.h"
#include "engine/statistics/pca.h"

namespace chiasm::bench {
namespace {

template <class T>
Matrix<T> read(const std::string& path, std::int64_t rows, std::int64_t columns) {
  Matrix<T> matrix(rows, columns);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(matrix.data()), static_cast<std::streamsize>(sizeof(T)) * rows * columns);
  if (!file) throw InputError("cannot read " + path);
  return matrix;
}

template <class T>
void write(const std::string& path, const T* values, std::int64_t count) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(values), static_cast<std::streamsize>(sizeof(T)) * count);
}

struct Problem {
  std::string folder;
  std::int64_t rows, units, targets, tests;
  MapOptions options;
};

// One fit and its predictions, from raw matrices, as fit() and predict() of the other libraries.
template <class T>
nlohmann::json map(const CpuStream& stream, const Problem& problem) {
  const Matrix<T> x = read<T>(problem.folder + "/x.bin", problem.rows + problem.tests, problem.units);
  const Matrix<T> y = read<T>(problem.folder + "/y.bin", problem.rows, problem.targets);
  Split split;
  for (std::int64_t i = 0; i < x.rows(); ++i) (i < problem.rows ? split.train : split.test).push_back(i);
  const Source<T> source(x);
  MapReport report;
  Matrix<T> predictions;
  const auto method = make_map<T>(problem.options);
  const double seconds =
      seconds_of([&] { predictions = method->prepare(stream, source, split)->predict(stream, y, &report); });
  write(problem.folder + "/predictions.bin", predictions.data(), std::ssize(predictions.values()));
  return {{"seconds", seconds}, {"components", report.components}};
}

nlohmann::json pca(const CpuStream& stream, const Problem& problem) {
  const Tensor x = tensor_of<float>(read<float>(problem.folder + "/x.bin", problem.rows, problem.units));
  Pca found;
  const double seconds = seconds_of([&] { found = fit_pca(stream, x, problem.targets); });
  write(problem.folder + "/predictions.bin", found.explained_variance.data(), std::ssize(found.explained_variance));
  return {{"seconds", seconds}, {"components", found.explained_variance.size()}};
}

int run(int threads) {
  const CpuStream stream(threads);
  for (std::string line; std::getline(std::cin, line);) {
    const auto command = nlohmann::json::parse(line);
    Problem problem{command["folder"], command["rows"], command["units"], command["targets"], command["tests"], {}};
    problem.options.method = command["method"] == "pca" ? "pls" : std::string(command["method"]);
    problem.options.components = command.value("components", 25);
    problem.options.alphas = command.value("alphas", std::vector<double>{1.0});
    nlohmann::json answer = command["method"] == "pca"      ? pca(stream, problem)
                            : command["dtype"] == "float32" ? map<float>(stream, problem)
                                                            : map<double>(stream, problem);
    answer["peak_resident_bytes"] = peak_resident_bytes();
    std::cout << answer << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace chiasm::bench

int main(int argc, char** argv) { return chiasm::bench::run(argc > 1 ? std::stoi(argv[1]) : 0); }
