// The rows of the function table that a .net file can call, for the language reference: name, number of arguments and
// derivatives, separated by tabs. docs/generate.py reads it.
#include "compiler/support/functions.h"

#include <fmt/format.h>

int main() {
  for (const netc::FnRow &f : netc::allFunctions()) {
    if (f.signature != netc::Signature::Real || !f.symbol.empty()) continue;
    fmt::print("{}\t{}", f.name, f.arity);
    for (int k = 0; k < f.arity; ++k) fmt::print("\t{}", f.derivative[k]);
    fmt::print("\n");
  }
}
