// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda_on_host/execution/symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

namespace cuda_on_host {
namespace {

// The functions of the executable by address, static ones too: those that dladdr() does not know.
std::map<std::uintptr_t, std::string> read_symbols() {
  std::map<std::uintptr_t, std::string> symbols;
  std::ifstream stream("/proc/self/exe", std::ios::binary);
  const std::vector<char> file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  ElfW(Ehdr) header;
  if (file.size() < sizeof header || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) return symbols;
  std::memcpy(&header, file.data(), sizeof header);
  std::uintptr_t base = 0;
  if (header.e_type == ET_DYN) {
    // The first object is the executable.
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* found) {
          *static_cast<std::uintptr_t*>(found) = info->dlpi_addr;
          return 1;
        },
        &base);
  }
  std::vector<ElfW(Shdr)> sections(header.e_shnum);
  if (header.e_shoff + sections.size() * sizeof(ElfW(Shdr)) > file.size()) return symbols;
  std::memcpy(sections.data(), file.data() + header.e_shoff, sections.size() * sizeof(ElfW(Shdr)));
  for (const auto& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const char* names = file.data() + sections[section.sh_link].sh_offset;
    for (std::size_t at = 0; at + sizeof(ElfW(Sym)) <= section.sh_size; at += sizeof(ElfW(Sym))) {
      ElfW(Sym) symbol;
      std::memcpy(&symbol, file.data() + section.sh_offset + at, sizeof symbol);
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
      symbols.emplace(base + symbol.st_value, names + symbol.st_name);
    }
  }
  return symbols;
}

std::string readable(const std::string& mangled) {
  int status = 0;
  char* text = abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status);
  std::string name = status == 0 && text != nullptr ? text : mangled;
  std::free(text);
  // The parameters are the last group of parentheses; "(anonymous namespace)" comes before.
  if (name.ends_with(')')) {
    int depth = 0;
    for (std::size_t i = name.size(); i-- > 0;) {
      if (name[i] == ')') ++depth;
      if (name[i] == '(' && --depth == 0) {
        name.resize(i);
        break;
      }
    }
  }
  return name;
}

}  // namespace

std::string symbol_name(const void* function) {
  static const auto* symbols = new std::map<std::uintptr_t, std::string>(read_symbols());
  static auto* names = new std::map<const void*, std::string>;
  if (const auto known = names->find(function); known != names->end()) return known->second;
  std::string name;
  const auto found = symbols->find(reinterpret_cast<std::uintptr_t>(function));
  Dl_info info;
  if (found != symbols->end()) {
    name = readable(found->second);
  } else if (dladdr(function, &info) != 0 && info.dli_sname != nullptr) {
    name = readable(info.dli_sname);
  } else {
    char text[40];
    std::snprintf(text, sizeof text, "the kernel at %p", function);
    name = text;
  }
  return names->emplace(function, name).first->second;
}

}  // namespace cuda_on_host
