// A program's C++ text, compiled by the system's compiler and loaded into this process.
#pragma once

#include "compiler/loop/loop.h"
#include "netc/abi.h"

#include <cstdio>
#include <filesystem>
#include <string>

namespace netc::driver {

/// By $CXX, else c++, in the background. Little optimized: compiling takes longer than running once, and the bits are the same.
class CppModel {
public:
  explicit CppModel(const loop::Program &);
  ~CppModel(); // waits for the compiler
  CppModel(const CppModel &) = delete;
  CppModel &operator=(const CppModel &) = delete;

  const std::string &compiler() const { return compilerName; }
  /// Waits for the compiler. The tables stay until netc ends; null: there is no such compiler. Throws UserError where it fails.
  const NetcModel *load();

private:
  int waited(); // for the compiler's status

  std::filesystem::path folder;
  std::string compilerName, symbol, messages;
  std::FILE *running = nullptr; // the compiler, which writes messages
};

} // namespace netc::driver
