// SPDX-License-Identifier: Apache-2.0
// Decoder: how the readout's logits over time become one decision (spec/convrnn.md section 5).
#pragma once

#include <span>
#include <string>

#include "engine/graph.h"

namespace chiasm {

class ConfigNode;

struct Decoder {
  enum class Kind {
    kLast,           // the logits of the last step
    kAll,            // the same, and the loss is the mean of the losses of every step that the image has reached
    kThreshold,      // of the first step at which the largest class probability reaches `threshold`, else as below
    kMaxConfidence,  // of the first step at which the largest class probability is largest
  };
  Kind kind = Kind::kLast;
  double threshold = 0.9;  // kThreshold
  double beta = 1.0;       // kMaxConfidence: probabilities are softmax(beta * logits). It selects only: no gradient

  // The first step that is decoded, of a readout that the image reaches at step `arrival`, in T = `steps`. Threshold
  // and maximum confidence leave out the very first image-driven step, as the reference does, unless there is no other.
  int first_step(int arrival, int steps) const;
  std::string name() const;  // as recipes write it
};

struct Decision {
  Value logits;  // [N, classes] of the step decided at
  Value step;    // int32 [N], counted from the first decoded step; absent when it is always the last
};

// `logits` are those of the decoded steps, [N, classes] each. Gradients flow to the logits that were chosen only.
Decision decide(const Decoder& decoder, std::span<const Value> logits);

// Reads "decoder": a name, or {"type", "threshold", "beta"}; absent: the last step.
Decoder read_decoder(const ConfigNode& model);

}  // namespace chiasm
