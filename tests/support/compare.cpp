// SPDX-License-Identifier: Apache-2.0
#include "tests/support/compare.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace chiasm::test {
namespace {

std::vector<double> values(const View& view) {
  std::vector<double> result;
  result.reserve(static_cast<std::size_t>(view.elements()));
  visit_any(view.dtype(), [&]<class T>() {
    for_each_offset(
        view.shape(), [&](std::int64_t i) { result.push_back(static_cast<double>(view.as<T>()[i])); }, view.strides());
  });
  return result;
}

}  // namespace

Tolerance rounding_tolerance(DType type, double k, double reduction) {
  const double epsilon = type == DType::kFloat64 ? std::numeric_limits<double>::epsilon()
                                                 : static_cast<double>(std::numeric_limits<float>::epsilon());
  return {k * epsilon * std::sqrt(reduction), 0.0};
}

testing::AssertionResult near(const View& actual, const View& expected, Tolerance tolerance) {
  if (actual.shape() != expected.shape()) {
    return testing::AssertionFailure() << "shape " << to_string(actual.shape()) << ", expected "
                                       << to_string(expected.shape());
  }
  const std::vector<double> a = values(actual);
  const std::vector<double> e = values(expected);
  double squares = 0.0;
  for (double x : e) squares += x * x;
  const double rms = e.empty() ? 0.0 : std::sqrt(squares / static_cast<double>(e.size()));
  std::size_t bad = 0, first = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const double allowed = tolerance.relative * (std::fabs(e[i]) + rms) + tolerance.absolute;
    if (!(std::fabs(a[i] - e[i]) <= allowed) && bad++ == 0) first = i;
  }
  if (bad == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << bad << " of " << e.size() << " elements differ; first at " << first << ": "
                                     << a[first] << ", expected " << e[first] << ", difference " << a[first] - e[first]
                                     << ", allowed "
                                     << tolerance.relative * (std::fabs(e[first]) + rms) + tolerance.absolute;
}

testing::AssertionResult bit_equal(const View& actual, const View& expected) {
  if (!(actual.spec() == expected.spec())) {
    return testing::AssertionFailure() << to_string(actual.spec()) << ", expected " << to_string(expected.spec());
  }
  return visit_any(actual.dtype(), [&]<class T>() {
    testing::AssertionResult result = testing::AssertionSuccess();
    std::int64_t index = 0;
    for_each_offset(
        actual.shape(),
        [&](std::int64_t i, std::int64_t j) {
          const T &a = actual.as<T>()[i], &e = expected.as<T>()[j];
          if (result && std::memcmp(&a, &e, sizeof(T)) != 0) {
            result = testing::AssertionFailure() << "bits differ first at " << index << ": " << +a << " and " << +e;
          }
          ++index;
        },
        actual.strides(), expected.strides());
    return result;
  });
}

testing::AssertionResult not_vacuous(const View& reference) {
  const std::vector<double> v = values(reference);
  std::size_t nonzero = 0;
  bool varies = false;
  for (double x : v) {
    if (!std::isfinite(x)) return testing::AssertionFailure() << "the reference holds " << x;
    nonzero += x != 0.0;
    varies = varies || x != v[0];
  }
  if (v.size() > 1 && !varies) return testing::AssertionFailure() << "the reference is constant";
  if (!v.empty() && nonzero * 5 < v.size()) {
    return testing::AssertionFailure() << "only " << nonzero << " of " << v.size() << " reference values are not zero";
  }
  return testing::AssertionSuccess();
}

std::int64_t offset_at(const Shape& shape, const Strides& strides, std::int64_t index) {
  std::int64_t offset = 0;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    offset += index % shape[axis] * strides[axis];
    index /= shape[axis];
  }
  return offset;
}

double value_at(const View& view, std::int64_t index) {
  const std::int64_t offset = offset_at(view.shape(), view.strides(), index);
  return visit_any(view.dtype(), [&]<class T>() { return static_cast<double>(view.as<T>()[offset]); });
}

}  // namespace chiasm::test
