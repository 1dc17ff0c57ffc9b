// SPDX-License-Identifier: Apache-2.0
#include "tests/support/golden.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/op_checks.h"
#include "tests/support/source_tree.h"

namespace chiasm::test {

Golden::Golden(const std::string& topic) : topic_(topic) {
  const std::string path = source_folder() + "/tests/oracles/golden/" + topic + ".txt";
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, dtype, word;
    std::vector<std::int64_t> sizes;
    words >> name >> dtype >> word;
    if (word != ":") {
      std::istringstream list(word);
      for (std::string size; std::getline(list, size, ',');) sizes.push_back(std::stoll(size));
      words >> word;
    }
    DType type = DType::kFloat64;
    if (dtype == "int32") type = DType::kInt32;
    if (dtype == "uint8") type = DType::kUInt8;
    Tensor tensor(Spec{type, Shape(sizes)});
    for (std::int64_t i = 0; i < tensor.elements(); ++i) {
      if (!(words >> word)) throw std::runtime_error(path + ": too few values for " + name);
      set_value(tensor.view(), i, std::stod(word));
    }
    tensors_.emplace(name, std::move(tensor));
  }
}

const Tensor& Golden::at(const std::string& name) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) throw std::runtime_error("golden " + topic_ + " has no " + name);
  return it->second;
}

std::vector<std::string> Golden::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

void expect_golden(const Golden& golden, const std::string& name, const AnyOp& op, double tolerance) {
  const CpuStream stream(1);
  std::vector<View> in;
  while (golden.has(name + "/in" + std::to_string(in.size()))) {
    in.push_back(golden.at(name + "/in" + std::to_string(in.size())).view());
  }
  const std::vector<Buffer> out = run_op(op, in, stream);
  int compared = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string key = name + "/out" + std::to_string(i);
    if (!golden.has(key)) continue;
    ++compared;
    EXPECT_TRUE(near(out[i].view(), golden.at(key).view(), {tolerance, 0.0})) << key;
  }
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::string key = name + "/grad" + std::to_string(i);
    if (!golden.has(key)) continue;
    ++compared;
    const auto gradient =
        gradient_of(op, static_cast<int>(i), in, views_of(out), golden.at(name + "/dy").view(), stream);
    ASSERT_TRUE(gradient.has_value()) << key;
    EXPECT_TRUE(near(gradient->view(), golden.at(key).view(), {tolerance, 0.0})) << key;
  }
  EXPECT_GT(compared, 0) << "nothing to compare in " << name;
}

}  // namespace chiasm::test
