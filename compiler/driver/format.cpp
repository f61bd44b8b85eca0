// netc fmt.
#include "compiler/driver/commands.h"
#include "compiler/driver/pipeline.h"
#include "compiler/support/text_file.h"
#include "dsl/format.h"

#include <fmt/format.h>

#include <iostream>

namespace netc::driver {

int formatCommand(const Options &o) {
  if (inputKind(o.input) != InputKind::Net) throw UserError(fmt::format("'{}': fmt formats .net files", o.input));
  if (o.write && !o.output.empty()) throw UserError("--write and -o FILE are two places for one result");
  const std::string text = readFile(o.input);
  Diagnostics diagnostics;
  const std::optional<std::string> result = dsl::format(text, o.input, diagnostics);
  if (!result) throw SourceError(diagnostics.str());
  if (!o.output.empty()) writeFile(o.output, *result);
  else if (!o.write) std::cout << *result;
  else if (*result != text) writeFile(o.input, *result);
  return 0;
}

} // namespace netc::driver
