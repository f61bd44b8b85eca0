# Writes OUTPUT, a C++ file with the texts of FILES (separated by '|') as string literals.
string(REPLACE "|" ";" files "${FILES}")
set(rows "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(APPEND rows "    {\"prelude/${name}\", R\"~net~(${text})~net~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made from dsl/prelude/*.net by embed_prelude.cmake.
#include \"dsl/prelude.h\"

namespace netc::dsl {

namespace {
constexpr PreludeFile files[] = {
${rows}};
} // namespace

std::span<const PreludeFile> preludeFiles() { return files; }

} // namespace netc::dsl
")
