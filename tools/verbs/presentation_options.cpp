// SPDX-License-Identifier: Apache-2.0
#include "tools/verbs/presentation_options.h"

namespace chiasm {

void PresentationOptions::add_to(Verb verb) {
  verb.option("--steps", steps, "Timesteps, instead of model.steps; minimal: as few as the network needs");
  verb.option("--image-off", image_off, "First step without the image, instead of model.image_off; -1: never");
  verb.option("--decoder", decoder, "Instead of model.decoder: last, all, threshold or max_confidence");
}

std::vector<std::string> PresentationOptions::overrides() const {
  std::vector<std::string> result;
  if (steps == "minimal") result.emplace_back("model.unroll=minimal");
  if (!steps.empty() && steps != "minimal") result.insert(result.end(), {"model.unroll=steps", "model.steps=" + steps});
  if (!image_off.empty()) result.push_back("model.image_off=" + image_off);
  if (!decoder.empty()) result.push_back("model.decoder=" + decoder);
  return result;
}

}  // namespace chiasm
