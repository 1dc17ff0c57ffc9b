// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "kernels/startup.h"
#include "tools/verbs/verbs.h"

int main(int argc, char** argv) {
  chiasm::settle_environment(argv);
  const chiasm::OpenblasChoice products = chiasm::openblas_choice();
  if (!products.refused.empty()) {
    std::cerr << "OpenBLAS's " << products.refused
              << " kernels gave wrong results or none when they were checked on this processor: going on with its "
              << products.core << " kernels, which are slower\n";
  }
  return chiasm::run_command(argc, argv);
}
