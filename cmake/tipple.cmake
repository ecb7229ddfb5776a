# The project's own CMake functions.
#
#   tipple_module(NAME HEADERS ... SOURCES ... DEPENDS ... LIBRARIES ... TEST_LIBRARIES ...)
#       One folder of src/tipple = one static library `tipple_NAME` (alias tipple::NAME).
#       HEADERS    public headers: installed, usable by other modules
#       SOURCES    .cpp files (and private headers)
#       DEPENDS    modules this one may include; the only statement of a dependency. scripts/tidy.py checks #includes against it
#       LIBRARIES  third-party targets, tipple::dep::*; private to the module
#       Installed with its public headers; see install.cmake.
#       All *_test.cpp of the folder are built into build/<preset>/bin/NAME_test; TEST_LIBRARIES are for them alone.
#   tipple_source(NAME REQUIRES Package LIBRARIES target ... SOURCES ...)
#   tipple_destination(NAME ...)
#       One plug-in = one file NAME.cpp (or SOURCES) that defines `SourceEntry NAME_source()` / `DestinationEntry NAME_destination()`.
#       Left out, with a message, when the package it REQUIRES is missing.
#   tipple_builtin(sources|destinations)   writes builtin.cpp, the list of what was compiled in.

include(install)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# Release keeps -O2: -O3 was not faster here and costs build time. Assertions of ours do not depend on NDEBUG.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")

find_program(TIPPLE_CCACHE ccache)
if(TIPPLE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${TIPPLE_CCACHE}")
endif()
find_program(TIPPLE_MOLD mold)
if(TIPPLE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_library(tipple_options INTERFACE)
target_compile_options(tipple_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
                                                -Woverloaded-virtual -Werror
                                                # Option structs with designated initializers leave members out on purpose.
                                                -Wno-missing-field-initializers)
target_include_directories(tipple_options INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_BINARY_DIR}/generated")
if(TIPPLE_SANITIZE)
  # What the sanitizers add to the code confuses GCC's analysis of initialization.
  target_compile_options(tipple_options INTERFACE -fsanitize=${TIPPLE_SANITIZE} -fno-omit-frame-pointer
                                                  -fno-sanitize-recover=all -Wno-maybe-uninitialized)
  target_link_options(tipple_options INTERFACE -fsanitize=${TIPPLE_SANITIZE})
endif()
if(TIPPLE_FUZZ)
  # What is reached guides the fuzzer, so everything of ours is instrumented, not only the targets.
  target_compile_options(tipple_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tipple_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(tipple_module name)
  cmake_parse_arguments(PARSE_ARGV 1 M "" "" "HEADERS;SOURCES;DEPENDS;LIBRARIES;TEST_LIBRARIES")
  add_library(tipple_${name} STATIC ${M_SOURCES} ${M_HEADERS})
  add_library(tipple::${name} ALIAS tipple_${name})
  # How tipple is compiled is nobody else's business.
  target_link_libraries(tipple_${name} PUBLIC $<BUILD_INTERFACE:tipple_options>)
  tipple_install_module(${name} "${M_HEADERS}")
  foreach(dependency IN LISTS M_DEPENDS)
    target_link_libraries(tipple_${name} PUBLIC tipple::${dependency})
  endforeach()
  target_link_libraries(tipple_${name} PRIVATE ${M_LIBRARIES})
  # Every _test.cpp of the folder belongs to its test program, so none can be forgotten.
  file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp")
  if(TIPPLE_TESTS AND tests)
    tipple_test(${name}_test SOURCES ${tests} LIBRARIES tipple::${name} ${M_LIBRARIES} ${M_TEST_LIBRARIES})
  endif()
endfunction()

# A GoogleTest program whose cases are listed in ctest one by one.
function(tipple_test name)
  cmake_parse_arguments(PARSE_ARGV 1 T "" "" "SOURCES;LIBRARIES;LABELS")
  add_executable(${name} ${T_SOURCES})
  target_link_libraries(${name} PRIVATE tipple_options ${T_LIBRARIES} tipple::dep::gtest)
  # Helpers and fakes shared by tests: #include "support/....h".
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_compile_definitions(${name} PRIVATE TIPPLE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set(labels "${T_LABELS}")
  if(TIPPLE_SANITIZE STREQUAL "thread")
    list(APPEND labels tsan)
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 300 LABELS "${labels}")
endfunction()

function(_tipple_plugin kind name)
  cmake_parse_arguments(PARSE_ARGV 2 P "" "REQUIRES" "LIBRARIES;SOURCES")
  if(P_REQUIRES AND NOT ${P_REQUIRES}_FOUND)
    message(STATUS "${kind} ${name} is left out: ${P_REQUIRES} was not found")
    return()
  endif()
  if(NOT P_SOURCES)
    set(P_SOURCES ${name}.cpp)
  endif()
  list(TRANSFORM P_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
  set_property(GLOBAL APPEND PROPERTY tipple_${kind}_names ${name})
  set_property(GLOBAL APPEND PROPERTY tipple_${kind}_files ${P_SOURCES})
  set_property(GLOBAL APPEND PROPERTY tipple_${kind}_libraries ${P_LIBRARIES})
endfunction()
macro(tipple_source name)
  _tipple_plugin(source ${name} ${ARGN})
endmacro()
macro(tipple_destination name)
  _tipple_plugin(destination ${name} ${ARGN})
endmacro()

# Declares the module `sources` or `destinations` from the plug-ins listed so far, plus the generated list of entries.
function(tipple_builtin module)
  cmake_parse_arguments(PARSE_ARGV 1 B "" "" "HEADERS;SOURCES;DEPENDS;LIBRARIES;TEST_LIBRARIES")
  string(REGEX REPLACE "s$" "" kind ${module})
  string(SUBSTRING ${kind} 0 1 first)
  string(TOUPPER ${first} first)
  string(SUBSTRING ${kind} 1 -1 rest)
  set(entry_type "${first}${rest}Entry")
  # The namespace of the module that says what such a plug-in is.
  set(namespace ${kind})
  if(kind STREQUAL "source")
    set(namespace extract)
  endif()
  get_property(names GLOBAL PROPERTY tipple_${kind}_names)
  get_property(files GLOBAL PROPERTY tipple_${kind}_files)
  get_property(libraries GLOBAL PROPERTY tipple_${kind}_libraries)
  set(declarations "")
  set(entries "")
  foreach(name IN LISTS names)
    string(APPEND declarations "${entry_type} ${name}_${kind}();\n")
    string(APPEND entries "    registry.add(${name}_${kind}());\n")
  endforeach()
  set(generated "${PROJECT_BINARY_DIR}/generated/tipple/${module}/builtin.cpp")
  file(CONFIGURE OUTPUT "${generated}" CONTENT
"// Generated from the tipple_${kind}() lines of src/tipple/${module}/CMakeLists.txt.
#include \"tipple/${module}/builtin.h\"

namespace tipple::${module} {
using ${namespace}::${entry_type};
${declarations}
void add_builtin(${namespace}::Registry& registry) {
${entries}}
}  // namespace tipple::${module}
" @ONLY)
  tipple_module(${module} HEADERS ${B_HEADERS} SOURCES ${B_SOURCES} ${files} "${generated}" DEPENDS ${B_DEPENDS}
                LIBRARIES ${libraries} ${B_LIBRARIES} TEST_LIBRARIES ${B_TEST_LIBRARIES})
endfunction()
