// SPDX-License-Identifier: Apache-2.0
// How the spatially factored map (factored.h) is penalised and trained.
#pragma once

#include <cstdint>

#include "engine/optimizer.h"

namespace chiasm {

// Strengths; 0 is off. For one unit with spatial weights M [H, W] and channel weights V [C], as they are in the scaled
// problem of factored.h, the loss gets (spec/convrnn.md 6.1)
//   (i)   l2 / 2 * sum of squares, of M and of V (the convention of 7.1)
//   (ii)  l1 * sum of magnitudes, of M and of V
//   (iii) smoothness * sum of squares of M filtered VALID with [[.5, 1, .5], [1, -6, 1], [.5, 1, .5]]
//   (iv)  group * sum_c sqrt(sum_xy (M[x, y] V[c])^2) = group * |M|_2 |V|_1: over space the L2 norm, over channels the
//         sum, so that whole channels leave the product. The text gives no formula; this is the group lasso of the
//         joint weights. The root is taken of sum M^2 + 1e-12, whose derivative exists at 0.
// The strengths of the study are not known. With L2 alone the least loss is that of the joint weights with a penalty on
// |M| |V|: strengths of 0.1 predicted the noiseless responses of simulated units best or nearly so, from 300 rows or
// 1000 and with noise of half or twice the signal. Gradients of magnitudes are signs, 0 at 0: weights come close to 0
// without staying there exactly.
struct FactoredPenalties {
  double space_l2 = 0.1;
  double channels_l2 = 0.1;
  double space_l1 = 0.0;
  double channels_l1 = 0.0;
  double smoothness = 0.0;  // needs H and W of at least 3
  double group = 0.0;
};

enum class FeatureScale : std::uint8_t {
  kLayer,    // one number for all features
  kChannel,  // one for each channel; changes what the penalties on V mean
  kNone,     // features and responses stay as they are, as in the study; the rate must then fit their size
};

struct FactoredOptions {
  FactoredPenalties penalties = {};
  FeatureScale scale = FeatureScale::kLayer;
  // The study used gradient descent, with a momentum and a rate that are not known; Sgd{.momentum = 0.9} reaches the
  // same losses. Adam does so in the same time for correlated features as for white ones.
  Optimizer optimizer{.rule = Adam{}};
  double rate = 0.01;
  // Rows of a batch, at most: the rows are shared out evenly over as few batches as possible, once an epoch, in an
  // order that depends on the seed and the epoch alone.
  std::int64_t batch = 128;
  // The rate stays constant until a unit's loss, as it is met during training, has fallen by less than `tolerance` in
  // `patience` rounds together (in the scaled problem a constant prediction has the loss 1), each unit at its own time.
  // A round is the fewest whole epochs with at least 40 steps. Units that are not done after max_steps (and what is
  // left of the round) count as not converged.
  double tolerance = 1e-3;
  int patience = 5;
  std::int64_t max_steps = 6000;
  // Then the rate falls to 0 as half a cosine, over the fewest whole epochs with at least as many steps, and the noise
  // of the batches leaves the weights. Adam and momentum start anew here.
  std::int64_t anneal_steps = 400;
  std::uint64_t seed = 0;
  // N in the shapes H x W x N x 1 and C x N that the fans of the initial draws are counted from: of an array of the
  // study, whatever the number of units here, so that no unit depends on the others.
  std::int64_t fan_units = 88;
};

}  // namespace chiasm
