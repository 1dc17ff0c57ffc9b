// SPDX-License-Identifier: Apache-2.0
// Stacks that one OS thread can leave in the middle of a function and come back to.
#pragma once

#include <cstddef>
#include <memory>

namespace cuda_on_host {

// A function on a stack of its own. It starts when it is first resumed, and must never return.
class Fiber {
 public:
  // `index` only shifts the start of the stack, so that the stacks of many fibers do not share cache lines' sets.
  Fiber(void (*entry)(), std::size_t index);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From outside of fibers: continues this fiber until it calls leave().
  void resume();
  // From inside of a fiber: continues whoever resumed it.
  static void leave();
  // Forgets what the fiber was doing: it starts anew when next resumed. Nothing on its stack is destroyed.
  void restart();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace cuda_on_host
