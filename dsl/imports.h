// import "layers.net": the declarations and constants of other files.
#pragma once

#include "compiler/support/diagnostics.h"
#include "dsl/ast.h"

#include <deque>

namespace netc::dsl {

/// Reads the files that `main` imports, directly or not, each once. Paths are relative to the file that names them. What
/// they declare stays in the result, in the order of the imports; their constants move to the front of `main`'s
/// statements. An imported file with any other statement, one that cannot be read, and a circle are errors at the
/// `import`.
std::deque<SourceFile> readImports(SourceFile &main, const std::string &fileName, Diagnostics &);

} // namespace netc::dsl
