#include "dsl/imports.h"

#include "compiler/support/text_file.h"
#include "dsl/parser.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <set>

namespace netc::dsl {

namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  explicit Reader(Diagnostics &diag) : diag(diag) {}

  std::deque<SourceFile> files;
  Block constants;

  void follow(const SourceFile &from, const std::string &fileName) {
    open.push_back(fileName);
    for (const Import &i : from.imports)
      read(i, (fs::path(fileName).parent_path() / i.path).lexically_normal().string());
    open.pop_back();
  }

 private:
  static std::string identity(const std::string &path) {
    std::error_code ec;
    const fs::path p = fs::weakly_canonical(path, ec);
    return ec ? path : p.string();
  }

  void read(const Import &i, const std::string &path) {
    const auto same = [&](const std::string &other) { return identity(other) == identity(path); };
    if (const auto first = std::find_if(open.begin(), open.end(), same); first != open.end())
      return reportCircle(i, first);
    if (!seen.insert(identity(path)).second) return;
    const std::optional<std::string> text = bytes(i, path);
    if (!text) return;
    SourceFile f = parse(*text, diag.addSource(path, *text), diag);
    follow(f, path); // what a file imports stands before it
    take(i, f);
    files.push_back(std::move(f));
  }

  std::optional<std::string> bytes(const Import &i, const std::string &path) {
    std::error_code ec;
    if (!path.ends_with(".net"))
      return diag.error(i.location, fmt::format("cannot import '{}': expected a file that ends in .net", i.path)), std::nullopt;
    if (fs::exists(path, ec) && !fs::is_directory(path, ec) && !fs::is_regular_file(path, ec))
      return diag.error(i.location, fmt::format("cannot import '{}': it is no regular file", i.path)), std::nullopt;
    try {
      return readFile(path);
    } catch (const UserError &e) {
      diag.error(i.location, e.what());
      return std::nullopt;
    }
  }

  void reportCircle(const Import &i, std::vector<std::string>::iterator first) {
    std::string circle;
    for (auto f = first; f != open.end(); ++f)
      circle += *f + " -> ";
    diag.error(i.location, fmt::format("these files import each other: {}{}", circle, *first));
  }

  void take(const Import &i, SourceFile &f) {
    for (const Statement &s : f.statements) {
      if (s.kind == Statement::Kind::Const) continue;
      diag.error(s.location, "an imported file declares layers, functions, initialisers, optimizers and constants: this "
                             "statement belongs to the model's own file");
      diag.note(i.location, "the file is imported here");
      return;
    }
    std::move(f.statements.begin(), f.statements.end(), std::back_inserter(constants));
    f.statements.clear();
  }

  Diagnostics &diag;
  std::vector<std::string> open; // the files that are being read, each imported by the one before
  std::set<std::string> seen;
};

} // namespace

std::deque<SourceFile> readImports(SourceFile &main, const std::string &fileName, Diagnostics &diag) {
  Reader reader(diag);
  reader.follow(main, fileName);
  Block all = std::move(reader.constants);
  std::move(main.statements.begin(), main.statements.end(), std::back_inserter(all));
  main.statements = std::move(all);
  return std::move(reader.files);
}

} // namespace netc::dsl
