// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda_on_host/execution/fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

#if defined(__x86_64__)
#define CUDA_ON_HOST_ASSEMBLY 1
#else
#define CUDA_ON_HOST_ASSEMBLY 0
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define CUDA_ON_HOST_ASAN 1
#else
#define CUDA_ON_HOST_ASAN 0
#endif

#if CUDA_ON_HOST_ASSEMBLY
// Saves the registers that a function must preserve on the stack in use, stores the stack pointer in *save, and goes on
// with the stack `load`. The control words of the floating-point units are not switched: kernels leave them alone.
// swapcontext() would do, but makes a system call for the signal mask at every switch.
extern "C" void cuda_on_host_switch(void** save, void* load);
asm(R"(
.pushsection .text
.p2align 4
.hidden cuda_on_host_switch
.globl cuda_on_host_switch
.type cuda_on_host_switch, @function
cuda_on_host_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_on_host_switch, .-cuda_on_host_switch
.popsection
)");
#endif

namespace cuda_on_host {
namespace {

// Enough for a kernel with large local arrays, also in a build without optimisation; only touched pages cost memory.
constexpr std::size_t kStackBytes = std::size_t{256} << 10;

}  // namespace

struct Fiber::Context {
  void (*entry)() = nullptr;
  std::size_t shift = 0;
  char* base = nullptr;  // a guard page, then the stack
  std::size_t page = 0;
#if CUDA_ON_HOST_ASSEMBLY
  void* stack_pointer = nullptr;
#else
  ucontext_t registers;
#endif
  void* fake_stack = nullptr;  // AddressSanitizer's, while the fiber does not run

  char* stack() const { return base + page; }
};

namespace {

// The one that resumed a fiber. Device work is serialised by a mutex, so that there is at most one.
struct Outside {
#if CUDA_ON_HOST_ASSEMBLY
  void* stack_pointer = nullptr;
#else
  ucontext_t registers;
#endif
  void* fake_stack = nullptr;
  const void* stack = nullptr;
  std::size_t stack_bytes = 0;
};
Outside outside;
void* running = nullptr;  // Fiber::Context
void (*starting)() = nullptr;

#if CUDA_ON_HOST_ASAN
void announce_arrival(void* fake_stack) {
  __sanitizer_finish_switch_fiber(fake_stack, &outside.stack, &outside.stack_bytes);
}
#else
void announce_arrival(void*) {}
#endif

[[noreturn]] void start() {
  announce_arrival(nullptr);
  starting();
  __builtin_trap();  // an entry never returns
}

}  // namespace

Fiber::Fiber(void (*entry)(), std::size_t index) : context_(std::make_unique<Context>()) {
  context_->entry = entry;
  context_->shift = index * 17 % 61 * 64;
  context_->page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* mapped = mmap(nullptr, context_->page + kStackBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  context_->base = static_cast<char*>(mapped);
  mprotect(context_->base, context_->page, PROT_NONE);
  restart();
}

Fiber::~Fiber() {
#if CUDA_ON_HOST_ASAN
  __asan_unpoison_memory_region(context_->stack(), kStackBytes);
#endif
  munmap(context_->base, context_->page + kStackBytes);
}

void Fiber::restart() {
#if CUDA_ON_HOST_ASAN
  __asan_unpoison_memory_region(context_->stack(), kStackBytes);
#endif
  context_->fake_stack = nullptr;
#if CUDA_ON_HOST_ASSEMBLY
  // What cuda_on_host_switch pops: six registers and the address to return to. Above it, a zero where the return
  // address of start() would be, eight bytes below a multiple of 16 as after a call: unwinders stop there.
  auto* top = reinterpret_cast<std::uintptr_t*>(context_->stack() + kStackBytes - 64 - context_->shift);
  *--top = 0;
  *--top = reinterpret_cast<std::uintptr_t>(&start);
  for (int i = 0; i < 6; ++i) *--top = 0;
  context_->stack_pointer = top;
#else
  getcontext(&context_->registers);
  context_->registers.uc_stack.ss_sp = context_->stack();
  context_->registers.uc_stack.ss_size = kStackBytes - context_->shift;
  context_->registers.uc_link = nullptr;
  makecontext(&context_->registers, &start, 0);
#endif
}

void Fiber::resume() {
  running = context_.get();
  starting = context_->entry;
#if CUDA_ON_HOST_ASAN
  __sanitizer_start_switch_fiber(&outside.fake_stack, context_->stack(), kStackBytes);
#endif
#if CUDA_ON_HOST_ASSEMBLY
  cuda_on_host_switch(&outside.stack_pointer, context_->stack_pointer);
#else
  swapcontext(&outside.registers, &context_->registers);
#endif
#if CUDA_ON_HOST_ASAN
  __sanitizer_finish_switch_fiber(outside.fake_stack, nullptr, nullptr);
#endif
}

void Fiber::leave() {
  auto* self = static_cast<Context*>(running);
#if CUDA_ON_HOST_ASAN
  __sanitizer_start_switch_fiber(&self->fake_stack, outside.stack, outside.stack_bytes);
#endif
#if CUDA_ON_HOST_ASSEMBLY
  cuda_on_host_switch(&self->stack_pointer, outside.stack_pointer);
#else
  swapcontext(&self->registers, &outside.registers);
#endif
  announce_arrival(self->fake_stack);
}

}  // namespace cuda_on_host
