// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <new>

#include "engine/io/utf8.h"
#include "kernels/error.h"
#include "tools/run_folder/environment.h"
#include "tools/terminal/command_line.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

int report(const char* kind, const std::string& what, int status) {
  // What is quoted from a file may be no text.
  std::cerr << "chiasm: " << kind << well_formed_utf8(what) << '\n';
  return status;
}

}  // namespace

int run_command(int argc, const char* const* argv) {
  CommandLine command("chiasm", "Train goal-driven networks and compare them with recorded neurons.", chiasm_version(),
                      "chiasm VERB --help shows a verb's options with examples.");
  add_doctor(command);
  add_train(command);
  add_evaluate(command);
  add_describe(command);
  add_plan(command);
  add_compare(command);
  add_extract(command);
  add_convert(command);
  add_map(command);
  add_reliability(command);
  add_consistency(command);
  add_rsa(command);
  add_ost(command);
  add_readout(command);
  add_recipes(command);
  add_rules(command);
  try {
    const int status = command.run(argc, argv, kWrongInput);
    // A result that was to be printed and met a full disk is lost.
    if (!std::cout.flush()) return report("", "cannot write to the standard output", status == 0 ? kFailed : status);
    return status;
  } catch (const InputError& error) {
    return report("", error.what(), kWrongInput);
  } catch (const InternalError& error) {
    return report("internal error, please report it: ", error.what(), kFailed);
  } catch (const std::bad_alloc&) {
    return report("", "out of memory", kFailed);
  } catch (const std::exception& error) {
    return report("", error.what(), kFailed);
  }
}

}  // namespace chiasm
