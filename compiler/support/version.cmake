# Writes OUTPUT, the definition of netc::version() for the commit of SOURCE's checkout, when it is another than before.
execute_process(COMMAND git describe --always --dirty --exclude=* WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(version "netc ${RELEASE}")
if(commit)
  string(APPEND version " (${commit})")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "// Made by version.cmake.
#include \"compiler/support/version.h\"

std::string netc::version() { return \"${version}\"; }
")
