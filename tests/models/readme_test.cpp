// SPDX-License-Identifier: Apache-2.0
// READMEs show how to add a circuit and a task with the code of one.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <sstream>

#include "engine/config/config.h"
#include "engine/optimizer.h"
#include "engine/program.h"
#include "models/tasks/task.h"
#include "tests/support/running_network.h"
#include "tests/support/source_tree.h"

namespace chiasm {
std::shared_ptr<const Task> make_brightness(const ConfigNode& task);  // tests/models/tasks/brightness_test.cpp
}

namespace chiasm::test {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(source_folder() + "/" + path);
  EXPECT_TRUE(file) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The code that `readme` shows below a heading.
std::string code_of(const std::string& readme, const std::string& heading) {
  const std::string text = text_of(readme), fence = "```";
  const std::size_t section = text.find(heading), begin = text.find(fence + "cpp\n", section);
  const std::size_t end = text.find(fence, begin + fence.size());
  EXPECT_NE(end, std::string::npos);
  const std::size_t code = text.find('\n', begin) + 1;
  return text.substr(code, end - code);
}

TEST(ModelsReadme, ShowsACircuitAsItIs) {
  EXPECT_EQ(code_of("models/README.md", "## Adding a circuit"), text_of("models/cells/ugrnn.cpp"));
  EXPECT_NE(text_of("models/cells/cells.cpp").find("CELL(ugrnn)"), std::string::npos);
}

TEST(TasksReadme, ShowsATaskThatWorks) {
  EXPECT_EQ(code_of("models/tasks/README.md", "## Adding one"), text_of("tests/models/tasks/brightness_test.cpp"));
  const std::shared_ptr<const Task> task = make_brightness(Config::parse("{}", "test").root());
  const Network network = network_of(R"({"image": [2, 2, 1], "steps": 1, "feedforward_delay": 0, "layers": [
    {"name": "readout", "pre": [{"op": "global_average_pool"}, {"op": "linear", "units": 1}]}]})");
  Parameters parameters;
  Graph graph = task_loss(*task, network, parameters, 2, {.dtype = DType::kFloat64});
  append_updates({&graph, graph.outputs().at("loss")}, parameters, {.rule = Sgd{}});
  Program program(graph, {.threads = 1});
  parameters.initialise(1);
  program.bind_all(parameters.tensors());
  *program.input("learning_rate").as<double>() = 0.3;
  double loss = 1.0;
  for (int step = 0; step < 200; ++step) {
    for (int i = 0; i < 8; ++i) program.input("image").as<double>()[i] = std::sin(7.0 * i + step);
    program.run();
    loss = *program.output("loss").as<double>();
  }
  EXPECT_LT(loss, 1e-6);  // the answer is in the network: a weight of 1 on the mean
}

}  // namespace
}  // namespace chiasm::test
