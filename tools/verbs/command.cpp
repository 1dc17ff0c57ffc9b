// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <new>

#include "kernels/error.h"
#include "tools/run_folder/environment.h"
#include "tools/verbs/verbs.h"

namespace chiasm {
namespace {

int report(const char* kind, const std::string& what, int status) {
  std::cerr << "chiasm: " << kind << what << '\n';
  return status;
}

}  // namespace

int run_command(int argc, const char* const* argv) {
  CLI::App app("Train goal-driven networks and compare them with recorded neurons.", "chiasm");
  app.set_version_flag("--version", chiasm_version());
  app.require_subcommand(1);
  app.footer("chiasm VERB --help shows a verb's options with examples.");
  Action action;
  add_doctor(app, action);
  add_train(app, action);
  add_evaluate(app, action);
  add_describe(app, action);
  add_plan(app, action);
  add_compare(app, action);
  add_extract(app, action);
  add_convert(app, action);
  add_map(app, action);
  add_reliability(app, action);
  add_consistency(app, action);
  add_rsa(app, action);
  add_ost(app, action);
  add_readout(app, action);
  add_recipes(app, action);
  add_rules(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // 0 for --help and --version, which CLI11 throws as well.
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : kWrongInput;
  }
  try {
    return action();
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
