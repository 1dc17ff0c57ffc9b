// SPDX-License-Identifier: Apache-2.0
// The command line: verbs, their options and what --help says. One source file knows the library that parses, which
// takes the compiler longer than a verb does.
//
//   auto o = std::make_shared<Options>();  // what is not given keeps its value
//   Verb verb = command.verb("map", "Predict recorded responses from the features of a model");
//   verb.option("recipe", o->recipe, "Recipe: its name, or a JSON file").required();  // without dashes: by its
//   position verb.option("--splits", o->splits, "Random splits").range(1, 100000).show_default(); verb.flag("--json",
//   o->json, "Print JSON"); verb.footer("Example:\n  chiasm map rgc_median --splits 5"); verb.action([o] { return
//   map(*o); });
//
// Verb and Option are handles: they are copied freely and last as long as their CommandLine.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace chiasm {

template <class T, class... Ts>
concept OneOf = (std::same_as<T, Ts> || ...);

// What an option can be stored in. Another type is added here and in command_line.cpp.
template <class T>
concept OptionValue = OneOf<T, std::string, int, std::int64_t, std::uint32_t, std::uint64_t, double, std::optional<int>,
                            std::optional<std::int64_t>, std::optional<std::uint64_t>, std::optional<double>,
                            std::vector<std::string>, std::vector<std::uint64_t>>;

class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option required(bool required = true);
  // Numbers from low to high. --help says "INT in [low - high]", or `words` where they are given.
  Option range(int low, int high, const std::string& words = "");
  Option range(std::int64_t low, std::int64_t high, const std::string& words = "");
  Option range(double low, double high, const std::string& words = "");
  Option positive();
  Option not_negative();
  Option one_of(std::vector<std::string> allowed);
  // Replaces the text that was given before it is read; returns what is wrong with it, or nothing.
  Option rewrite(std::function<std::string(std::string&)> rewrite);
  // "a,b" is two values of a list.
  Option joined_by(char separator);
  // Given several times, each with one value, all are kept in their order...
  Option repeatable();
  // ...or the last counts.
  Option last_counts();
  Option excludes(Option other);
  // --help shows the value that the variable has now.
  Option show_default();
  Option type_name(const std::string& name);

 private:
  CLI::Option* option_;
};

class Verb {
 public:
  explicit Verb(CLI::App* app, std::function<int()>* chosen) : app_(app), chosen_(chosen) {}

  // A name with dashes, or one without for what is given by position.
  template <OptionValue T>
  Option option(const std::string& name, T& value, const std::string& help);
  Option flag(const std::string& name, bool& value, const std::string& help);
  // Shown below the options: examples, and what does not fit one option.
  void footer(const std::string& text);
  // What runs when the verb was given; it returns the exit status.
  void action(std::function<int()> action);

 private:
  CLI::App* app_;
  std::function<int()>* chosen_;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& about, const std::string& version, const std::string& footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Verb verb(const std::string& name, const std::string& about);
  // Prints --help, --version or what is wrong, and returns 0 or `wrong`; or else runs the action of the verb, and
  // returns its status.
  int run(int argc, const char* const* argv, int wrong);

 private:
  std::unique_ptr<CLI::App> app_;
  std::function<int()> chosen_;
};

}  // namespace chiasm
