# netc_embed(ROOM FUNCTION FOLDER file...): makes netc::FUNCTION() of library ROOM, which gives the texts of the files. Each
# is named by its path below FOLDER.
set(NETC_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(netc_embed room function folder)
  list(JOIN ARGN "|" files)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DFILES=${files} -DFOLDER=${folder} -DFUNCTION=${function} -DOUTPUT=${output} -P ${NETC_EMBED_SCRIPT}
    DEPENDS ${ARGN} ${NETC_EMBED_SCRIPT} VERBATIM)
  target_sources(${room} PRIVATE ${output})
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
  return()
endif()
string(REPLACE "|" ";" files "${FILES}")
set(rows "")
foreach(file IN LISTS files)
  file(RELATIVE_PATH name ${FOLDER} ${file})
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"~text~(${text})~text~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Made by embed_files.cmake.
#include \"compiler/support/embedded_file.h\"

namespace netc {

namespace {
constexpr EmbeddedFile files[] = {
${rows}};
} // namespace

std::span<const EmbeddedFile> ${FUNCTION}();
std::span<const EmbeddedFile> ${FUNCTION}() { return files; }

} // namespace netc
")
