// A program's C++ text, compiled by the system's compiler and loaded into this process.
#pragma once

#include "compiler/loop/loop.h"
#include "netc/abi.h"

#include <cstdio>
#include <filesystem>
#include <string>

namespace netc::driver {

/// By $CXX, else c++, in the background. The bits are the same at each level of optimization. The files are temporary and go when the
/// process is interrupted, too; so there is one object at a time.
class CppModel {
public:
  /// `optimized`: there is so much to compute that optimizing takes less time than it saves.
  CppModel(const loop::Program &, bool optimized);
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
