// SPDX-License-Identifier: Apache-2.0
// Trainer: a recipe and its data in a program: train, evaluate, look at activity, save, resume. It knows no terminal
// and writes no file but the snapshots that it is asked for. Target chiasm::training.
//
//   Trainer trainer(read_recipe(Config::parse(R"({"chiasm": 1, ...})", "my recipe")), train, test);
//   trainer.train(1000, [](const TrainingSession::Step& step) { return step.loss < 10.0; });
//   double accuracy = trainer.evaluate().value("top1");
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/config/config.h"
#include "engine/data/source.h"
#include "engine/tensor.h"
#include "tools/recipe/recipe.h"
#include "tools/training/evaluator.h"
#include "tools/training/session.h"

namespace chiasm {

class Trainer {
 public:
  // Throws InputError when the data does not give what the recipe's task takes. `test` may be null.
  Trainer(Recipe recipe, std::shared_ptr<const Source> train, std::shared_ptr<const Source> test = nullptr,
          const ProgramOptions& options = {});
  // With the data that the recipe names.
  explicit Trainer(Recipe recipe, const ProgramOptions& options = {});

  // At most `steps` more steps, to the recipe's end at most; `each` hears of every one and stops by returning false.
  // Returns how many were done. Throws NumericalError as TrainingSession::step.
  std::int64_t train(std::int64_t steps, const std::function<bool(const TrainingSession::Step&)>& each = {});
  // On the test data. Throws InputError where there is none.
  Evaluation evaluate();
  // What layers ("conv1", "conv*", "all"; see select_layers) put out for samples of the test data, by name:
  // [samples, steps, ...], at `steps` ("all", "last", "0,3..5"). Throws InputError as select_layers and select_steps,
  // and where the network sees no single image.
  std::map<std::string, Tensor> activity(std::span<const std::int32_t> samples, const std::vector<std::string>& layers,
                                         const std::string& steps = "last");

  // A snapshot of everything that training depends on. Throws SystemError.
  void save(const std::string& path) const;
  // Goes on from one, to the same bits as if it had never stopped. Throws FileError and changes nothing when it does
  // not fit.
  void resume(const std::string& path);

  std::int64_t step() const { return session_.position().step; }
  const Recipe& recipe() const { return *recipe_; }
  Parameters& parameters() { return session_.parameters(); }
  TrainingSession& session() { return session_; }

 private:
  const Source& test() const;

  std::unique_ptr<const Recipe> recipe_;  // the session holds on to it
  ProgramOptions options_;
  std::shared_ptr<const Source> test_;
  TrainingSession session_;
  std::unique_ptr<Evaluator> evaluator_;  // made on first use
};

}  // namespace chiasm
