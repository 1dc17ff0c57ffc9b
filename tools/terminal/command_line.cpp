// SPDX-License-Identifier: Apache-2.0
#include "tools/terminal/command_line.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace chiasm {

Option Option::required(bool required) {
  option_->required(required);
  return *this;
}

Option Option::range(int low, int high, const std::string& words) {
  option_->check(CLI::Range(low, high, words));
  return *this;
}

Option Option::range(std::int64_t low, std::int64_t high, const std::string& words) {
  option_->check(CLI::Range(low, high, words));
  return *this;
}

Option Option::range(double low, double high, const std::string& words) {
  option_->check(CLI::Range(low, high, words));
  return *this;
}

Option Option::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option Option::not_negative() {
  option_->check(CLI::NonNegativeNumber);
  return *this;
}

Option Option::one_of(std::vector<std::string> allowed) {
  option_->check(CLI::IsMember(std::move(allowed)));
  return *this;
}

Option Option::rewrite(std::function<std::string(std::string&)> rewrite) {
  option_->transform(CLI::Validator(std::move(rewrite), ""));
  return *this;
}

Option Option::joined_by(char separator) {
  option_->delimiter(separator);
  return *this;
}

Option Option::repeatable() {
  option_->expected(1)->take_all();
  return *this;
}

Option Option::last_counts() {
  option_->take_last();
  return *this;
}

Option Option::excludes(Option other) {
  option_->excludes(other.option_);
  return *this;
}

Option Option::show_default() {
  option_->capture_default_str();
  return *this;
}

Option Option::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

template <OptionValue T>
Option Verb::option(const std::string& name, T& value, const std::string& help) {
  return Option(app_->add_option(name, value, help));
}

template Option Verb::option(const std::string&, std::string&, const std::string&);
template Option Verb::option(const std::string&, int&, const std::string&);
template Option Verb::option(const std::string&, std::int64_t&, const std::string&);
template Option Verb::option(const std::string&, std::uint32_t&, const std::string&);
template Option Verb::option(const std::string&, std::uint64_t&, const std::string&);
template Option Verb::option(const std::string&, double&, const std::string&);
template Option Verb::option(const std::string&, std::optional<int>&, const std::string&);
template Option Verb::option(const std::string&, std::optional<std::int64_t>&, const std::string&);
template Option Verb::option(const std::string&, std::optional<std::uint64_t>&, const std::string&);
template Option Verb::option(const std::string&, std::optional<double>&, const std::string&);
template Option Verb::option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Verb::option(const std::string&, std::vector<std::uint64_t>&, const std::string&);

Option Verb::flag(const std::string& name, bool& value, const std::string& help) {
  return Option(app_->add_flag(name, value, help));
}

void Verb::footer(const std::string& text) { app_->footer(text); }

void Verb::action(std::function<int()> action) {
  app_->callback([chosen = chosen_, action = std::move(action)] { *chosen = action; });
}

CommandLine::CommandLine(const std::string& name, const std::string& about, const std::string& version,
                         const std::string& footer)
    : app_(std::make_unique<CLI::App>(about, name)) {
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->footer(footer);
}

CommandLine::~CommandLine() = default;

Verb CommandLine::verb(const std::string& name, const std::string& about) {
  return Verb(app_->add_subcommand(name, about), &chosen_);
}

int CommandLine::run(int argc, const char* const* argv, int wrong) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // 0 for --help and --version, which CLI11 throws as well.
    return app_->exit(error, std::cout, std::cerr) == 0 ? 0 : wrong;
  }
  return chosen_();
}

}  // namespace chiasm
