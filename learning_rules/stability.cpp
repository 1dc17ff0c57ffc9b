// SPDX-License-Identifier: Apache-2.0
#include "learning_rules/stability.h"

#include <fmt/format.h>

#include <limits>

#include "learning_rules/primitives/primitives.h"

namespace chiasm {
namespace {

void add_term(std::string& sum, const char* name, double coefficient, const std::string& times) {
  if (coefficient == 0.0) return;
  sum += fmt::format("{}{} {:.4g}{}", sum.empty() ? "" : " + ", name, coefficient, times);
}

}  // namespace

PrimitiveCoefficients coefficients_at(const LearningRule& rule, double epoch, double epochs, double layer_l2) {
  PrimitiveCoefficients c;
  for (const RuleTerm& term : rule.terms) {
    const double value = term.coefficient.layer_l2 ? layer_l2 : term.coefficient.at(epoch, epochs);
    if (term.primitive == &kAmpPrimitive) c.amp += value;
    if (term.primitive == &kDecayPrimitive) c.decay += value;
    if (term.primitive == &kNullPrimitive) c.null += value;
    if (term.primitive == &kSparsePrimitive) c.sparse += value;
    if (term.primitive == &kSelfPrimitive) c.self += value;
  }
  return c;
}

SymmetrisedRates symmetrised_rates(const PrimitiveCoefficients& c, double x2, double product) {
  return {.drive = c.amp * x2 + c.self - c.null * product * x2, .restraint = c.decay + c.sparse * x2};
}

std::string describe_rates(const PrimitiveCoefficients& c, double x2, double product) {
  const SymmetrisedRates rates = symmetrised_rates(c, x2, product);
  const std::string squared = fmt::format(" * x^2 {:.4g}", x2);
  std::string drive, restraint;
  add_term(drive, "amp", c.amp, squared);
  add_term(drive, "self", c.self, "");
  add_term(restraint, "decay", c.decay, "");
  add_term(restraint, "sparse", c.sparse, squared);
  add_term(restraint, "null", product == 0.0 ? 0.0 : c.null, squared + fmt::format(" * w b {:.4g}", product));
  const double rate = rates.symmetric();
  std::string text = rate < 0.0   ? fmt::format("its symmetric part grows at a rate of {:.4g}", -rate)
                     : rate > 0.0 ? fmt::format("its symmetric part shrinks at a rate of {:.4g}", rate)
                                  : std::string("its symmetric part keeps its size");
  return text + ": " + (drive.empty() ? "nothing" : drive) + " against " + (restraint.empty() ? "nothing" : restraint);
}

double largest_curvature(const PrimitiveCoefficients& c, double input_eigenvalue, double output_eigenvalue) {
  return c.decay + c.sparse * input_eigenvalue + c.null * output_eigenvalue;
}

double largest_stable_rate(double curvature, const Sgd& descent) {
  if (curvature <= 0.0) return std::numeric_limits<double>::infinity();
  const double m = descent.momentum;
  return 2.0 * (1.0 + m) / (curvature * (descent.nesterov ? 1.0 + 2.0 * m : 1.0));
}

}  // namespace chiasm
