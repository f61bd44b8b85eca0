// Diagnostics: the user's mistakes, with a place, a caret and a hint; and internal errors, which are ours.
#pragma once

#include "compiler/support/location.h"

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace netc {

/// Collects errors and notes so that one run reports several of them.
/// Messages are lower case, without full stop, and say what was found and what was expected.
class Diagnostics {
public:
  enum class Kind { Error, Warning, Note };
  struct Entry {
    Kind kind;
    Location location;
    std::string message;
  };

  /// Registers a source text, so that carets can be drawn; returns the file handle for Locations.
  std::shared_ptr<const std::string> addSource(std::string name, std::string text);

  void error(const Location &at, std::string message) { add(Kind::Error, at, std::move(message)); }
  void warning(const Location &at, std::string message) { add(Kind::Warning, at, std::move(message)); }
  /// A note belongs to the error before it.
  void note(const Location &at, std::string message) { add(Kind::Note, at, std::move(message)); }

  bool hasErrors() const { return errors > 0; }
  int errorCount() const { return errors; }
  const std::vector<Entry> &entries() const { return list; }

  /// All entries, each as "file:line:col: error: message", the source line and a caret line.
  std::string str() const;

private:
  void add(Kind, const Location &, std::string);
  std::map<std::string, std::string, std::less<>> sources; // name -> text
  std::vector<Entry> list;
  int errors = 0;
};

/// A bug of the compiler, never the user's mistake. The driver prints it and asks for a report.
struct InternalError : std::logic_error {
  using std::logic_error::logic_error;
};
[[noreturn]] void internalError(std::string message);

/// A failure that needs no caret (a file that cannot be read, a bad option): one message, exit status 1.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The text as a terminal may show it: bytes that are no characters, and control characters, as \x1f.
std::string visible(std::string_view);
/// The same of a text of several lines.
std::string visibleLines(std::string_view);

/// The candidate nearest to `name` by edit distance, for "did you mean"; empty when none is near.
std::string nearest(std::string_view name, const std::vector<std::string> &candidates);
/// "; did you mean 'x'?" when a candidate is near, else nothing.
std::string didYouMean(std::string_view name, const std::vector<std::string> &candidates);

} // namespace netc
