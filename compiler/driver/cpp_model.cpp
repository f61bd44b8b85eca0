#include "compiler/driver/cpp_model.h"

#include "compiler/codegen/highway/highway.h"
#include "compiler/codegen/standalone.h"
#include "compiler/support/diagnostics.h"
#include "compiler/support/text_file.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <utility>

namespace netc::driver {
namespace {

namespace fs = std::filesystem;

constexpr int noSuchCommand = 127; // of a shell

constexpr const char *sourceFile = "model.cpp", *headerFile = "model.h", *libraryFile = "model.so";
constexpr int endings[] = {SIGINT, SIGTERM, SIGHUP};
std::atomic<const char *> folderInUse = nullptr;

/// A process that a signal ends leaves nothing behind. A handler may not do more than make system calls.
void removeAndEnd(int signal) {
  if (const char *folder = folderInUse) {
    const int opened = open(folder, O_RDONLY | O_DIRECTORY);
    for (const char *name : {sourceFile, headerFile, libraryFile}) unlinkat(opened, name, 0);
    rmdir(folder);
  }
  raise(signal); // as if nobody had caught it
}

fs::path temporaryFolder() {
  std::string name = fs::temp_directory_path() / "netc-XXXXXX";
  if (!mkdtemp(name.data())) throw UserError(fmt::format("cannot make a folder in {}", fs::temp_directory_path().string()));
  return name;
}

/// `handler` in place of `before`; a signal that is ignored, as under nohup, stays so.
void setHandlers(void (*before)(int), void (*handler)(int)) {
  for (int ending : endings) {
    struct sigaction now = {};
    sigaction(ending, nullptr, &now);
    if (now.sa_handler != before) continue;
    now = {};
    now.sa_handler = handler;
    now.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(ending, &now, nullptr);
  }
}

} // namespace

CppModel::CppModel(const loop::Program &program, bool optimized) : folder(temporaryFolder()), symbol(codegen::modelSymbol(program)) {
  folderInUse = folder.c_str();
  setHandlers(SIG_DFL, removeAndEnd);
  const char *named = std::getenv("CXX");
  compilerName = named && *named ? named : "c++";
  const fs::path source = folder / sourceFile;
  std::string text = codegen::highway({program}, headerFile, program.name), header = codegen::header({program}, program.name);
  codegen::makeStandalone(text, header, /*selfTest=*/false);
  writeFile(source, text);
  writeFile(folder / headerFile, header);
  const char *processor = program.target == "native" ? " -march=native" : ""; // others are chosen by pragmas
  // The tables and the kernels alone: this process has a runtime.
  running = popen(fmt::format("{} -std=c++17 -O{}{} -ffp-contract=off -DNETC_RUNTIME_ELSEWHERE -fPIC -shared '{}' -o '{}' 2>&1",
                              compilerName, optimized ? 1 : 0, processor, source.string(), (folder / libraryFile).string())
                      .c_str(),
                  "r");
  if (!running) throw UserError(fmt::format("cannot start '{}'", compilerName));
}

CppModel::~CppModel() {
  waited();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  setHandlers(removeAndEnd, SIG_DFL);
  folderInUse = nullptr;
}

int CppModel::waited() {
  if (!running) return 0;
  char part[4096];
  for (std::size_t n; (n = std::fread(part, 1, sizeof part, running)) > 0;) messages.append(part, n);
  const int status = pclose(std::exchange(running, nullptr));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

const NetcModel *CppModel::load() {
  const int status = waited();
  if (status == noSuchCommand) return nullptr;
  if (status != 0)
    throw UserError(fmt::format("'{}' does not compile the model's C++; $CXX names another compiler, --engine jit does without\n{}",
                                compilerName, messages));
  void *handle = dlopen((folder / libraryFile).c_str(), RTLD_NOW | RTLD_LOCAL);
  const void *model = handle ? dlsym(handle, symbol.c_str()) : nullptr;
  if (!model) throw UserError(fmt::format("what '{}' compiled cannot be loaded: {}", compilerName, dlerror()));
  return static_cast<const NetcModel *>(model);
}

} // namespace netc::driver
