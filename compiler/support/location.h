// Where something stands in a text that a user wrote: file, line and column, all counted from 1.
#pragma once

#include <memory>
#include <string>

namespace netc {

struct Location {
  std::shared_ptr<const std::string> file; // null: unknown
  int line = 0;
  int column = 0;

  bool known() const { return file != nullptr; }
  /// "lenet5.net:10:7", or "<unknown>".
  std::string str() const;
  /// The same without the file's folders, for texts that do not depend on where the model lies.
  std::string strInFolder() const;
};

} // namespace netc
