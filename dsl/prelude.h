// The library that is written in the language itself (dsl/prelude/*.net).
#pragma once

#include "compiler/support/embedded_file.h"

namespace netc {

std::span<const EmbeddedFile> preludeFiles(); // "prelude/layers.net", ...

} // namespace netc
