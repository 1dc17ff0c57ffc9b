// SPDX-License-Identifier: Apache-2.0
// The rules of the source tree that a compiler does not check. A rule reads the path (from the root of the repository)
// and the text of one file, and returns one sentence per violation, "path:line: what is wrong".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace chiasm::test {

struct SourceFile {
  std::string path;  // "kernels/op.h"
  std::string text;
};

struct Include {
  std::string target;
  int line;
  bool quoted;  // "..." as against <...>
};

// Every #include of the text, also those behind an #if.
std::vector<Include> includes_of(std::string_view text);

// kernels <- engine <- { models, learning_rules } <- analysis <- tools: a file includes from its own folder and from
// what its folder may know; tests/ and bench/ may know everything, and nobody else knows them.
std::vector<std::string> wrong_arrows(const SourceFile& file);
// A quoted include is the path from the root of the repository: it says which folder it is about, and this test can
// read it.
std::vector<std::string> relative_includes(const SourceFile& file);
// Headers of JSON, formatting, command-line, image, HDF5, BLAS and oneDNN libraries stay out of our headers, so that
// who includes ours needs none of them. kernels/vendor/ wraps oneDNN and BLAS, and is itself included by .cpp and .cu
// only.
std::vector<std::string> vendor_headers(const SourceFile& file);
// CUDA's headers are named by .cu and .cuh only, so that everything else compiles without them.
std::vector<std::string> cuda_headers(const SourceFile& file);
// The licence is named in the first line (the second where the first is #!).
std::vector<std::string> missing_licence(const SourceFile& file);
// A file of more than 600 lines holds two ideas.
std::vector<std::string> too_long(const SourceFile& file);

std::vector<std::string> broken_rules(const SourceFile& file);

// Every source file below the folders of the repository (C++, CUDA, Python, shell and CMake files), in order of path.
std::vector<SourceFile> source_files(const std::string& root);

}  // namespace chiasm::test
