#include "compiler/codegen/llvm/join.h"

#include "compiler/support/diagnostics.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/Object/ELF.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace netc::codegen {

namespace {

using namespace llvm::ELF;
using Elf = llvm::object::ELF64LE;
using Header = Elf::Ehdr;
using Section = Elf::Shdr;
using Symbol = Elf::Sym;
using Relocation = Elf::Rela;

template <class T> T orInternalError(llvm::Expected<T> result) {
  if (!result) internalError("an object file of the code generator cannot be read: " + llvm::toString(result.takeError()));
  return std::move(*result);
}

/// Strings, each ended by a zero byte.
struct Names {
  std::string bytes = std::string(1, '\0');
  std::uint32_t add(llvm::StringRef name) {
    const auto at = static_cast<std::uint32_t>(bytes.size());
    bytes.append(name.begin(), name.end()) += '\0';
    return at;
  }
};

/// Local symbols stand before all others in a file.
struct Place {
  bool local = false;
  std::size_t index = 0;
};

struct Part {
  explicit Part(const std::string &bytes) : file(orInternalError(llvm::object::ELFFile<Elf>::create(bytes))) {
    for (const Section &s : orInternalError(file.sections()))
      if (s.sh_type == SHT_SYMTAB) table = &s;
    if (!table) internalError("an object file of the code generator has no symbols");
  }
  auto sections() const { return orInternalError(file.sections()); }
  auto symbolList() const { return orInternalError(file.symbols(table)); }
  llvm::StringRef name(const Symbol &s) const {
    return orInternalError(s.getName(orInternalError(file.getStringTableForSymtab(*table))));
  }

  llvm::object::ELFFile<Elf> file;
  const Section *table = nullptr;
  std::vector<std::uint32_t> sectionNumbers; // in the joined file; 0: made anew there
  std::vector<Place> symbols;
};

class Joiner {
public:
  explicit Joiner(const std::vector<std::string> &objects) : parts(objects.begin(), objects.end()) {}

  std::string run() {
    const Header header = parts.front().file.getHeader();
    out.assign(reinterpret_cast<const char *>(&header), sizeof header);
    numberSections();
    for (Part &part : parts) addDefinitions(part);
    for (Part &part : parts) resolve(part);
    for (const Part &part : parts)
      for (std::size_t i = 0; i < part.sectionNumbers.size(); ++i)
        if (part.sectionNumbers[i] != 0) addSection(part, part.sections()[i]);
    addTables();
    return finished(header);
  }

private:
  void numberSections() {
    for (Part &part : parts)
      for (const Section &s : part.sections()) {
        const bool madeAnew = s.sh_type == SHT_NULL || s.sh_type == SHT_STRTAB || s.sh_type == SHT_SYMTAB;
        part.sectionNumbers.push_back(madeAnew ? 0 : ++sectionCount);
      }
  }

  void addDefinitions(Part &part) {
    for (const Symbol &s : part.symbolList()) {
      part.symbols.emplace_back();
      if (s.st_shndx == SHN_UNDEF) continue;
      Symbol symbol = s;
      if (s.st_shndx < SHN_LORESERVE) symbol.st_shndx = static_cast<std::uint16_t>(part.sectionNumbers[s.st_shndx]);
      if (s.getVisibility() == STV_HIDDEN) {
        symbol.setBinding(STB_LOCAL);
        symbol.setVisibility(STV_DEFAULT);
      }
      part.symbols.back() = add(symbol, part.name(s));
      if (s.getBinding() != STB_LOCAL) known[part.name(s)] = part.symbols.back();
    }
  }

  void resolve(Part &part) {
    for (std::size_t i = 1; i < part.symbols.size(); ++i) { // number 0 is none
      const Symbol &s = part.symbolList()[i];
      if (s.st_shndx != SHN_UNDEF) continue;
      const auto [at, isNew] = known.try_emplace(part.name(s));
      if (isNew) at->second = add(s, part.name(s));
      part.symbols[i] = at->second;
    }
  }

  Place add(Symbol symbol, llvm::StringRef name) {
    symbol.st_name = name.empty() ? 0 : names.add(name);
    const bool local = symbol.getBinding() == STB_LOCAL;
    std::vector<Symbol> &list = local ? locals : others;
    list.push_back(symbol);
    return {local, list.size() - 1};
  }

  void addSection(const Part &part, const Section &s) {
    Section section = s;
    section.sh_name = names.add(orInternalError(part.file.getSectionName(s)));
    llvm::ArrayRef<std::uint8_t> contents = orInternalError(part.file.getSectionContents(s));
    if (s.sh_type != SHT_RELA) {
      write(section, contents.data(), contents.size());
      return;
    }
    section.sh_link = sectionCount + 1; // the symbols stand behind all others
    section.sh_info = part.sectionNumbers[s.sh_info];
    std::vector<Relocation> relocations = orInternalError(part.file.relas(s)).vec();
    for (Relocation &r : relocations) {
      const Place &symbol = part.symbols[r.getSymbol(/*isMips64EL=*/false)];
      const std::size_t index = symbol.index + (symbol.local ? 0 : locals.size());
      r.setSymbolAndType(static_cast<std::uint32_t>(index), r.getType(/*isMips64EL=*/false), /*IsMips64EL=*/false);
    }
    write(section, relocations.data(), contents.size());
  }

  void addTables() {
    Section table{}, strings{};
    table.sh_name = names.add(".symtab");
    table.sh_type = SHT_SYMTAB;
    table.sh_link = sectionCount + 2;
    table.sh_info = static_cast<std::uint32_t>(locals.size());
    table.sh_entsize = sizeof(Symbol);
    table.sh_addralign = 8;
    strings.sh_name = names.add(".strtab");
    strings.sh_type = SHT_STRTAB;
    strings.sh_addralign = 1;
    std::vector<Symbol> all = locals;
    all.insert(all.end(), others.begin(), others.end());
    write(table, all.data(), all.size() * sizeof(Symbol));
    write(strings, names.bytes.data(), names.bytes.size());
  }

  void align(std::uint64_t to) { out.resize((out.size() + to - 1) / to * to); }

  void write(Section section, const void *bytes, std::size_t size) {
    align(std::max<std::uint64_t>(1, section.sh_addralign));
    section.sh_offset = out.size();
    section.sh_size = size;
    out.append(static_cast<const char *>(bytes), size);
    sections.push_back(section);
  }

  std::string finished(Header header) {
    align(alignof(std::uint64_t));
    header.e_shoff = out.size();
    header.e_shnum = static_cast<std::uint16_t>(sections.size());
    header.e_shstrndx = static_cast<std::uint16_t>(sections.size() - 1);
    std::memcpy(out.data(), &header, sizeof header);
    out.append(reinterpret_cast<const char *>(sections.data()), sections.size() * sizeof(Section));
    return std::move(out);
  }

  std::vector<Part> parts;
  std::uint32_t sectionCount = 0; // without the null before them and the tables behind
  std::vector<Section> sections = {Section{}};
  std::vector<Symbol> locals = {Symbol{}}, others;
  llvm::StringMap<Place> known; // no local ones of the parts
  Names names;
  std::string out;
};

} // namespace

std::string joined(const std::vector<std::string> &objects) { return Joiner(objects).run(); }

} // namespace netc::codegen
