// SPDX-License-Identifier: Apache-2.0
// Documents made from parts. A document may lay itself over another, name values, and repeat objects:
//
//   {"extends": "base/net.json",               // relative to this file; at most kMaxExtends files in a row
//    "define": {"cell": {"type": "gru"}, "width": 64, "norm": [{"op": "batch_norm"}]},
//    "model": {
//      "templates": {"block": {"with": {"kernel": 3}, "pre": [{"op": "conv", "kernel": "$kernel"}, "...$norm"]}},
//      "layers": [{"name": "v1", "template": "block", "with": {"kernel": 7}, "cell": "$cell"}]}}
//
// extends: objects are merged member by member, anything else replaces, and null removes the member of the base.
// define: the text "$x" is replaced by the value x, and the list item "...$x" by the items of the list x (none when x
// is null). "$$x" is the text "$x". An object member whose value becomes null is left out. Definitions may use each
// other. In "define" and "with", null is a value like any other. templates: an object in the list of users that has a
// "template" is replaced by that template with its own members laid over it. In a template, "$x" means x in the user's
// "with", else in the template's "with", else in "define".
//
// What comes out is plain: it has none of these keys, and every value names the file it was written in as its origin.
// A document that uses none of this comes out as it is.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/config/config.h"

namespace chiasm {

// Where templates are: in the member `object` of a document, the objects in the list `users` may name one of
// `templates`. Above: {"model", "templates", "layers"}.
struct TemplateKeys {
  std::string object;
  std::string templates;
  std::string users;
};

constexpr int kMaxExtends = 8;
// Of a composed document, beside Config::kMaxDepth and Config::kMaxBytes of names and texts: its values, and every
// value visited on the way to them.
constexpr std::size_t kMaxComposedValues = 1'000'000;

// Throws FileError naming the file and the place: what Config::load throws; a base that is missing or extends itself; a
// null that removes nothing; an unknown name or template; a definition or a value of "with" that nothing uses;
// definitions that use themselves; more than the limits. Overrides "path=value" of definitions and templates apply
// before expansion, all others to the plain document, in their order.
Config load_composed(const std::string& path, const TemplateKeys& keys, const std::vector<std::string>& overrides = {});
// The same for a document that was read; its origin is the path that "extends" is relative to.
Config compose(const Config& document, const TemplateKeys& keys, const std::vector<std::string>& overrides = {});

// A plain document as JSON that load_composed reads as the same document: texts that begin with "$" get another.
std::string dump_composed(const Config& plain, int indent = 2);

}  // namespace chiasm
