// SPDX-License-Identifier: Apache-2.0
#include "tests/cuda_on_host/execution/symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>
#include <vector>

namespace cuda_on_host {
namespace {

// The executable's file, mapped; empty where it cannot be.
std::string_view executable() {
  static const std::string_view kept = [] {
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0) return std::string_view();
    struct stat status {};
    void* mapped = fstat(file, &status) == 0
                       ? mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0)
                       : MAP_FAILED;
    close(file);
    if (mapped == MAP_FAILED) return std::string_view();
    return std::string_view(static_cast<const char*>(mapped), static_cast<std::size_t>(status.st_size));
  }();
  return kept;
}

// The name in the executable's table of the function at the address, static ones too, which dladdr() does not know.
// Empty where there is none.
std::string name_in_table(std::uintptr_t address) {
  const std::string_view file = executable();
  ElfW(Ehdr) header;
  if (file.size() < sizeof header || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) return {};
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
  if (header.e_shoff + sections.size() * sizeof(ElfW(Shdr)) > file.size()) return {};
  std::memcpy(sections.data(), file.data() + header.e_shoff, sections.size() * sizeof(ElfW(Shdr)));
  for (const auto& section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const char* names = file.data() + sections[section.sh_link].sh_offset;
    for (std::size_t at = 0; at + sizeof(ElfW(Sym)) <= section.sh_size; at += sizeof(ElfW(Sym))) {
      ElfW(Sym) symbol;
      std::memcpy(&symbol, file.data() + section.sh_offset + at, sizeof symbol);
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) continue;
      if (base + symbol.st_value == address) return names + symbol.st_name;
    }
  }
  return {};
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
  static auto* names = new std::map<const void*, std::string>;
  if (const auto known = names->find(function); known != names->end()) return known->second;
  std::string name;
  const std::string found = name_in_table(reinterpret_cast<std::uintptr_t>(function));
  Dl_info info;
  if (!found.empty()) {
    name = readable(found);
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
