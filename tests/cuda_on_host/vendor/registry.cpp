// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda_on_host/vendor/registry.h"

#include <vector>

#include "tests/cuda_on_host/vendor/library_record.h"

namespace cuda_on_host {
namespace {

std::vector<std::string> misuse;
int live = 0;

}  // namespace

std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

void note_misuse(std::string what) {
  const std::scoped_lock lock(library_mutex());
  misuse.push_back(std::move(what));
}

void count_live_objects(int change) { live += change; }

std::vector<std::string> library_misuse() {
  const std::scoped_lock lock(library_mutex());
  return misuse;
}

int live_library_objects() {
  const std::scoped_lock lock(library_mutex());
  return live;
}

void clear_product_record();
void clear_convolution_record();

void clear_library_record() {
  const std::scoped_lock lock(library_mutex());
  misuse.clear();
  clear_product_record();
  clear_convolution_record();
}

}  // namespace cuda_on_host
