// SPDX-License-Identifier: Apache-2.0
#include "kernels/startup.h"

#include <cblas.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <thread>

#include "kernels/vendor/openblas_check.h"

namespace chiasm {
namespace {

// Threads spin at the end of every loop. libgomp's default of some milliseconds makes a step five times as long on a
// machine that does anything else at the same time; sleeping at once doubles it on an idle one, because a step has
// thousands of short loops. This many spins, a fraction of a millisecond, cost neither.
constexpr const char* kSpins = "20000";

constexpr const char* kCore = "OPENBLAS_CORETYPE";
// Ours, for the process that is started: "check" asks it for the comparison alone, "chosen" says that we set kCore, and
// "refused NAME" that NAME failed.
constexpr const char* kMark = "CHIASM_OPENBLAS";
constexpr std::string_view kCheck = "check", kChosen = "chosen", kRefused = "refused ";
// Far more than the comparison takes (0.1 s on a busy machine).
constexpr std::chrono::seconds kCheckLimit{20};

bool is_set(const char* variable) { return std::getenv(variable) != nullptr; }

std::string_view mark() {
  const char* const value = std::getenv(kMark);
  return value == nullptr ? std::string_view() : value;
}

std::string own_path() {
  std::array<char, PATH_MAX> path{};
  return readlink("/proc/self/exe", path.data(), path.size() - 1) > 0 ? path.data() : "";
}

// Whether this program, started with these kernels, finds that they compute what plain loops do.
bool passes_check(const std::string& program, const std::string& core, char** argv) {
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    setenv(kCore, core.c_str(), 1);
    setenv(kMark, std::string(kCheck).c_str(), 1);
    const int nowhere = open("/dev/null", O_RDWR);  // a crash there is not the user's business
    for (const int stream : {0, 1, 2}) dup2(nowhere, stream);
    execv(program.c_str(), argv);
    _exit(1);
  }
  const auto deadline = std::chrono::steady_clock::now() + kCheckLimit;
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (ended < 0 || std::chrono::steady_clock::now() > deadline) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return false;
}

}  // namespace

IsaLevel level_of_openblas_core(std::string_view core) {
  std::string name(core);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const std::string_view known : {"skylakex", "cooperlake", "sapphirerapids"}) {
    if (name == known) return IsaLevel::kAvx512;
  }
  for (const std::string_view known : {"haswell", "zen", "excavator"}) {
    if (name == known) return IsaLevel::kAvx2;
  }
  return IsaLevel::kBaseline;
}

std::string better_openblas_core(std::string_view core, IsaLevel processor, std::string_view build) {
  if (build.find("DYNAMIC_ARCH") == std::string_view::npos) return "";
  if (level_of_openblas_core(core) >= processor) return "";
  return processor == IsaLevel::kAvx512 ? "SkylakeX" : "Haswell";
}

namespace {

OpenblasChoice choice_of(const std::string& core) {
  OpenblasChoice choice{.core = core};
  if (is_set(kCore)) choice.by = mark() == kChosen ? OpenblasChoice::By::kChiasm : OpenblasChoice::By::kUser;
  if (mark().starts_with(kRefused)) choice.refused = mark().substr(kRefused.size());
  if (!is_set(kCore) && choice.refused.empty()) {
    choice.better = better_openblas_core(choice.core, machine_isa_level(), openblas_get_config());
  }
  return choice;
}

}  // namespace

OpenblasChoice openblas_choice() { return choice_of(openblas_get_corename()); }

void settle_environment(char** argv, const std::string& core) {
  if (mark() == kCheck) _exit(agree_with_loops() ? 0 : 1);
  const std::string program = own_path();
  if (program.empty()) return;
  bool anew = false;
  if (!is_set("OMP_WAIT_POLICY") && !is_set("GOMP_SPINCOUNT")) {
    setenv("GOMP_SPINCOUNT", kSpins, 1);
    anew = true;
  }
  const std::string better = choice_of(core.empty() ? openblas_get_corename() : core).better;
  if (!better.empty()) {
    const bool right = passes_check(program, better, argv);
    if (right) setenv(kCore, better.c_str(), 1);
    setenv(kMark, right ? std::string(kChosen).c_str() : (std::string(kRefused) + better).c_str(), 1);
    anew = anew || right;
  }
  if (anew) execv(program.c_str(), argv);
}

}  // namespace chiasm
