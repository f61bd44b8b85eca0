# netc_add_model(TARGET model.net [BATCH n] [BACKEND cpp|llvm] [TARGETS instruction-set...] [OPTIONS netc-option...])
#
# Compiles a .net file whenever it changes, or a file that it imports or that OPTIONS name, and adds the result to TARGET, whose
# sources may then include "model.h".
#   BATCH    the largest number of samples of a call (netc's default: 64)
#   BACKEND  cpp: generated C++, which TARGET's compiler compiles; llvm: an object file that netc makes itself
#   TARGETS  x86-64-v4, x86-64-v3, aarch64: the instruction sets to choose from at run time (default: all of the architecture that
#            netc itself runs on)
#   OPTIONS  further options of netc, such as --set hidden=32 or --weights w.safetensors (relative to the source folder)
# In a configuration without optimization (no CMAKE_BUILD_TYPE, Debug) the model's code is optimized all the same.
cmake_policy(VERSION 3.20)

function(netc_add_model target model)
  cmake_parse_arguments(PARSE_ARGV 2 MODEL "" "BATCH;BACKEND" "TARGETS;OPTIONS")
  if(MODEL_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "netc_add_model: unexpected '${MODEL_UNPARSED_ARGUMENTS}'; expected BATCH, BACKEND, TARGETS or OPTIONS")
  endif()
  if(MODEL_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "netc_add_model: ${MODEL_KEYWORDS_MISSING_VALUES} without a value")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(NOT CXX IN_LIST languages)
    message(FATAL_ERROR "netc_add_model: the project has no C++, which models are linked as; expected project(... LANGUAGES C CXX)")
  endif()
  if(NOT MODEL_BACKEND OR MODEL_BACKEND STREQUAL "cpp")
    set(extension cpp)
    # Google Highway, which generated C++ computes with: headers only.
    find_path(NETC_HIGHWAY hwy/highway.h DOC "the folder that holds hwy/highway.h (Debian: libhwy-dev)" REQUIRED)
    target_include_directories(${target} PRIVATE "${NETC_HIGHWAY}")
  elseif(MODEL_BACKEND STREQUAL "llvm")
    set(extension o)
  else()
    message(FATAL_ERROR "netc_add_model: BACKEND is '${MODEL_BACKEND}', expected cpp or llvm")
  endif()
  set(options ${MODEL_OPTIONS})
  if(DEFINED MODEL_BATCH)
    list(APPEND options --batch ${MODEL_BATCH})
  endif()
  if(MODEL_TARGETS)
    list(JOIN MODEL_TARGETS "," sets)
    list(APPEND options --target ${sets})
  endif()

  cmake_path(ABSOLUTE_PATH model NORMALIZE)
  cmake_path(GET model STEM name)
  get_source_file_property(made "${model}" GENERATED)
  if(NOT EXISTS "${model}" AND NOT made)
    message(FATAL_ERROR "netc_add_model: there is no file '${model}'")
  endif()
  get_target_property(models ${target} NETC_MODELS)
  if(name IN_LIST models)
    message(FATAL_ERROR "netc_add_model: ${target} has a model '${name}' already")
  endif()
  set_property(TARGET ${target} APPEND PROPERTY NETC_MODELS ${name})
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/netc/${target}") # targets may want the same model with other options
  file(MAKE_DIRECTORY "${folder}")
  set(output "${folder}/${name}.${extension}")
  add_custom_command(
    OUTPUT "${output}" "${folder}/${name}.h"
    COMMAND netc::netc "${model}" -o "${output}" --depfile "${output}.d" ${options}
    DEPENDS "${model}" netc::netc
    DEPFILE "${output}.d"
    WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
    COMMENT "netc compiles ${name}.net"
    VERBATIM)
  if(extension STREQUAL "o")
    set_source_files_properties("${output}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
  else()
    # A compiler that fuses multiplies and adds on its own would change the bits; pragmas in the file see to that, too,
    # except under clang's -ffp-contract=fast.
    set_source_files_properties("${output}" PROPERTIES COMPILE_OPTIONS
      "-ffp-contract=off;$<$<NOT:$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>:-O2>")
  endif()
  target_sources(${target} PRIVATE "${output}" "${folder}/${name}.h")
  target_include_directories(${target} PRIVATE "${folder}")
  target_link_libraries(${target} PRIVATE netc::runtime)
endfunction()
