// SPDX-License-Identifier: Apache-2.0
// The engine graphs of a classifier, from its network alone.
#pragma once

#include "engine/optimizer.h"
#include "models/network.h"

namespace chiasm {

// The plain unroll of a network in training: inputs "image" [N, H, W, C] and "label" int32 [N]; outputs "loss" [] (the
// mean over the batch of the objective of the decoded logits) and "logits" [N, classes], the decoded ones.
Graph build_loss(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options);

// A training step on `batch` images: build_loss, simplified by the passes of `options` that run before gradients, and
// its updates, with the inputs of append_updates.
Graph build_training_step(const Network& network, Parameters& parameters, std::int64_t batch,
                          const Optimizer& optimizer, const BuildOptions& options);

// A forward pass: input "image"; outputs "logits" [T, N, classes], the readout at every step; "decoded" [N, classes];
// where the decoder chooses among steps, "decision" int32 [N], the step chosen, counted from first_decoded_step().
Graph build_evaluation(const Network& network, Parameters& parameters, std::int64_t batch, BuildOptions options);

}  // namespace chiasm
