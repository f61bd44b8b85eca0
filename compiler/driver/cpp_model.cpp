#include "compiler/driver/cpp_model.h"

#include "compiler/codegen/highway/highway.h"
#include "compiler/codegen/standalone.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text_file.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace netc::driver {
namespace {

namespace fs = std::filesystem;

/// Is there while this object lives.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name = fs::temp_directory_path() / "netc-XXXXXX";
    if (!mkdtemp(name.data())) throw UserError(fmt::format("cannot make a folder in {}", fs::temp_directory_path().string()));
    path = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;

  fs::path path;
};

} // namespace

const NetcModel &compiledAsCpp(const loop::Program &program) {
  const TemporaryFolder folder;
  const fs::path source = folder.path / "model.cpp", library = folder.path / "model.so";
  std::string text = codegen::highway({program}, "model.h", program.name), header = codegen::header({program}, program.name);
  codegen::makeStandalone(text, header, /*selfTest=*/false);
  writeFile(source, text);
  writeFile(folder.path / "model.h", header);
  const char *named = std::getenv("CXX");
  const std::string compiler = named && *named ? named : "c++";
  const char *processor = program.target == "native" ? " -march=native" : ""; // others are chosen by pragmas
  const std::string command = fmt::format("{} -std=c++17 -O2{} -ffp-contract=off -fPIC -shared '{}' -o '{}'", compiler, processor,
                                          source.string(), library.string());
  if (std::system(command.c_str()) != 0)
    throw UserError(fmt::format("--engine cpp: '{}' does not compile the model's C++; $CXX names another compiler", compiler));
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  const void *model = handle ? dlsym(handle, codegen::modelSymbol(program).c_str()) : nullptr;
  if (!model) throw UserError(fmt::format("--engine cpp: {}", dlerror()));
  return *static_cast<const NetcModel *>(model);
}

} // namespace netc::driver
