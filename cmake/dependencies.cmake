# Every third-party library, found in one place: the only file that pins a version. Each ends in one target
# `tipple::dep::<name>`, so the names that Debian, vcpkg or upstream give never leak into a module.
# docs/decisions has a page for each. Also read by find_package(tipple), where it has been installed.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

function(tipple_dependency name)
  if(NOT TARGET tipple::dep::${name})
    add_library(tipple::dep::${name} INTERFACE IMPORTED GLOBAL)
    target_link_libraries(tipple::dep::${name} INTERFACE ${ARGN})
  endif()
endfunction()

# A library that the process opens when it needs it first (src/tipple/core/shared_library.h): what includes it is given its headers, and the
# name by which the dynamic linker finds it as TIPPLE_LIBRARY_<NAME>, and links nothing. `module`: what pkg_check_modules found.
function(tipple_opened_dependency name module)
  if(TARGET tipple::dep::${name}_opened)
    return()
  endif()
  list(GET ${module}_LINK_LIBRARIES 0 file)
  execute_process(COMMAND "${CMAKE_OBJDUMP}" -p "${file}" OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
  if(NOT headers MATCHES "SONAME +([^\n ]+)")
    message(FATAL_ERROR "${file} is no shared library: it has no soname")
  endif()
  string(TOUPPER "${name}" upper)
  add_library(tipple::dep::${name}_opened INTERFACE IMPORTED GLOBAL)
  target_include_directories(tipple::dep::${name}_opened SYSTEM INTERFACE ${${module}_INCLUDE_DIRS})
  target_compile_definitions(tipple::dep::${name}_opened INTERFACE "TIPPLE_LIBRARY_${upper}=\"${CMAKE_MATCH_1}\"")
endfunction()

# The embedded engine: C API only.
find_package(DuckDB REQUIRED MODULE)
tipple_dependency(duckdb DuckDB::C)

# JSON parser. The checks cost a factor of 2.3 when they are on; json_test asserts that they are off in optimised builds.
find_package(simdjson REQUIRED)
tipple_dependency(simdjson simdjson::simdjson)
target_compile_definitions(tipple::dep::simdjson INTERFACE SIMDJSON_DEVELOPMENT_CHECKS=0)

find_package(fmt 9 REQUIRED)
tipple_dependency(fmt fmt::fmt)
find_package(spdlog REQUIRED)
tipple_dependency(spdlog spdlog::spdlog)
find_package(OpenSSL REQUIRED)
tipple_dependency(openssl OpenSSL::Crypto)
find_package(ZLIB REQUIRED)
tipple_dependency(zlib ZLIB::ZLIB)

find_package(zstd QUIET)
if(TARGET zstd::libzstd_shared)
  tipple_dependency(zstd zstd::libzstd_shared)
else()
  pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
  tipple_dependency(zstd PkgConfig::zstd)
endif()
pkg_check_modules(lz4 REQUIRED IMPORTED_TARGET liblz4)
tipple_dependency(lz4 PkgConfig::lz4)
# Compressed input files.
find_package(BZip2 REQUIRED)
tipple_dependency(bzip2 BZip2::BZip2)
find_package(LibLZMA REQUIRED)
tipple_dependency(lzma LibLZMA::LibLZMA)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
tipple_dependency(xxhash PkgConfig::xxhash)

# HTTP.
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl>=7.87)
tipple_opened_dependency(curl curl)
# What object stores answer in.
find_package(pugixml REQUIRED)
tipple_dependency(pugixml pugixml::pugixml)

# Postgres. CMake's own module also wants headers of the server, which nobody needs here.
pkg_check_modules(libpq REQUIRED IMPORTED_TARGET libpq)
tipple_opened_dependency(libpq libpq)
# As it is linked: tools of the tests and of the benchmark.
tipple_dependency(libpq PkgConfig::libpq)

# SQLite files as sources. 3.37 has the list of tables that tells what each is.
pkg_check_modules(sqlite REQUIRED IMPORTED_TARGET sqlite3>=3.37)
tipple_dependency(sqlite PkgConfig::sqlite)

# Arrow IPC metadata. Only the header-only runtime is used.
find_path(TIPPLE_FLATBUFFERS_INCLUDE flatbuffers/flatbuffers.h REQUIRED)
tipple_dependency(flatbuffers)
target_include_directories(tipple::dep::flatbuffers SYSTEM INTERFACE "${TIPPLE_FLATBUFFERS_INCLUDE}")

find_package(CLI11 REQUIRED)
tipple_dependency(cli11 CLI11::CLI11)
find_package(yaml-cpp REQUIRED)
if(TARGET yaml-cpp::yaml-cpp)
  tipple_dependency(yaml yaml-cpp::yaml-cpp)
else()
  tipple_dependency(yaml yaml-cpp)
endif()

# The project file. As headers alone: one file of ours includes it, and nothing is linked.
find_path(TIPPLE_TOML_INCLUDE toml++/toml.h REQUIRED)
tipple_dependency(toml)
target_include_directories(tipple::dep::toml SYSTEM INTERFACE "${TIPPLE_TOML_INCLUDE}")

if(TIPPLE_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  tipple_dependency(gtest GTest::gtest_main GTest::gmock)
  find_package(rapidcheck REQUIRED)
  tipple_dependency(rapidcheck rapidcheck)
  # Debian's package has the GoogleTest glue as a header only.
  # The HTTP server of tests.
  pkg_check_modules(httplib REQUIRED IMPORTED_TARGET cpp-httplib)
  tipple_dependency(httplib PkgConfig::httplib)
endif()
if(TIPPLE_BENCH)
  find_package(benchmark REQUIRED)
  tipple_dependency(benchmark benchmark::benchmark)
endif()
