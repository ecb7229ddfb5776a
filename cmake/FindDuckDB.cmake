# FindDuckDB: one IMPORTED target `DuckDB::C` (C header + shared library), wherever it comes from.
#
#   1. an installed CMake package (vcpkg, conan, conda, a DuckDB install tree)
#   2. DUCKDB_ROOT, or duckdb.h and libduckdb in the system's folders
#   3. DUCKDB_FETCH:
#        npm      (default) the library from the npm package @duckdb/node-bindings-linux-*, the header of exactly the same version
#                 from the PyPI source archive `duckdb`
#        archive  the official release archive (header and library in one); give DUCKDB_ARCHIVE_SHA256
#        maven    DuckDB 2.x, for tests: the library inside the artifact org.duckdb:duckdb_jdbc exports the whole C API
#        none     do not fetch
#
# Fetched files are kept in DUCKDB_FETCH_DIR, shared by all build trees, and checked against the checksums below.
set(DUCKDB_VERSION 1.5.5 CACHE STRING "DuckDB release to fetch")
set(DUCKDB_HEADER_VERSION 1.5.5 CACHE STRING "Release whose duckdb.h is compiled against")
set(DUCKDB_FETCH npm CACHE STRING "How to fetch DuckDB when it is not installed: npm, archive, maven or none")
set(DUCKDB_FETCH_DIR "${PROJECT_SOURCE_DIR}/.deps" CACHE PATH "Where fetched files are kept")
set(DUCKDB_NPM_RELEASE r.5 CACHE STRING "Release suffix of the npm package")
set(DUCKDB_JDBC_VERSION 2.0.0.1 CACHE STRING "Version of the duckdb_jdbc artifact")
set(DUCKDB_ARCHIVE_SHA256 "" CACHE STRING "Checksum of the release archive")
set(_duckdb_sha256_npm_x64_1.5.5-r.5 86d2bda909785550e8a14a57a8a4584827aff0e268d8f1a58c3fd48559f7020e)
set(_duckdb_sha256_sdist_1.5.5 72f33ee57ca7595b23957671a2cc7f7fe2be0ecc2d68f63abedcfcaa3a5c1238)

function(_duckdb_check file name)
  if(NOT DEFINED _duckdb_sha256_${name})
    message(WARNING "no checksum is pinned for ${file}")
    return()
  endif()
  file(SHA256 "${file}" sum)
  if(NOT sum STREQUAL _duckdb_sha256_${name})
    file(REMOVE "${file}")
    message(FATAL_ERROR "${file} has checksum ${sum}, expected ${_duckdb_sha256_${name}}: the download was broken or the "
                        "package changed. The file was removed; configure again to fetch it anew.")
  endif()
endfunction()

if(NOT TARGET DuckDB::C)
  find_package(DuckDB CONFIG QUIET)
  if(TARGET duckdb)
    add_library(DuckDB::C INTERFACE IMPORTED)
    target_link_libraries(DuckDB::C INTERFACE duckdb)
    set(DuckDB_FOUND TRUE)
  endif()
endif()

if(NOT TARGET DuckDB::C)
  set(_duckdb_dir "${DUCKDB_FETCH_DIR}/duckdb-${DUCKDB_VERSION}")
  find_path(DuckDB_INCLUDE_DIR duckdb.h HINTS ${DUCKDB_ROOT} ENV DUCKDB_ROOT PATH_SUFFIXES include)
  find_library(DuckDB_LIBRARY duckdb HINTS ${DUCKDB_ROOT} ENV DUCKDB_ROOT PATH_SUFFIXES lib)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(_duckdb_arch arm64)
  else()
    set(_duckdb_arch x64)
  endif()

  if(NOT DuckDB_LIBRARY AND DUCKDB_FETCH STREQUAL "npm")
    set(_duckdb_release "${DUCKDB_VERSION}-${DUCKDB_NPM_RELEASE}")
    set(_duckdb_tgz "${_duckdb_dir}/duckdb-node-bindings-linux-${_duckdb_arch}-${_duckdb_release}.tgz")
    if(NOT EXISTS "${_duckdb_tgz}")
      find_program(NPM npm)
      if(NOT NPM)
        message(FATAL_ERROR "DuckDB is not installed and npm, which fetches it, is missing. Run scripts/setup, install npm, or "
                            "give -DDUCKDB_ROOT=<folder with duckdb.h and libduckdb.so>.")
      endif()
      message(STATUS "fetching the DuckDB ${DUCKDB_VERSION} library")
      file(MAKE_DIRECTORY "${_duckdb_dir}")
      execute_process(COMMAND ${NPM} pack --silent "@duckdb/node-bindings-linux-${_duckdb_arch}@${_duckdb_release}"
                      WORKING_DIRECTORY "${_duckdb_dir}" OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
    endif()
    if(NOT EXISTS "${_duckdb_dir}/package/libduckdb.so")
      _duckdb_check("${_duckdb_tgz}" npm_${_duckdb_arch}_${_duckdb_release})
      file(ARCHIVE_EXTRACT INPUT "${_duckdb_tgz}" DESTINATION "${_duckdb_dir}" PATTERNS package/libduckdb.so package/LICENSE)
    endif()
    set(DuckDB_LIBRARY "${_duckdb_dir}/package/libduckdb.so" CACHE FILEPATH "" FORCE)
  elseif(NOT DuckDB_LIBRARY AND DUCKDB_FETCH STREQUAL "maven")
    set(_duckdb_so libduckdb_java.so_linux_amd64)
    if(NOT EXISTS "${_duckdb_dir}/${_duckdb_so}")
      find_program(MVN mvn REQUIRED)
      file(MAKE_DIRECTORY "${_duckdb_dir}")
      execute_process(COMMAND ${MVN} -q dependency:copy -Dartifact=org.duckdb:duckdb_jdbc:${DUCKDB_JDBC_VERSION}
                              -DoutputDirectory=${_duckdb_dir} COMMAND_ERROR_IS_FATAL ANY)
      file(ARCHIVE_EXTRACT INPUT "${_duckdb_dir}/duckdb_jdbc-${DUCKDB_JDBC_VERSION}.jar" DESTINATION "${_duckdb_dir}"
           PATTERNS ${_duckdb_so})
    endif()
    set(DuckDB_LIBRARY "${_duckdb_dir}/${_duckdb_so}" CACHE FILEPATH "" FORCE)
  elseif(NOT DuckDB_LIBRARY AND DUCKDB_FETCH STREQUAL "archive")
    if(NOT DUCKDB_ARCHIVE_SHA256)
      message(FATAL_ERROR "DUCKDB_FETCH=archive needs -DDUCKDB_ARCHIVE_SHA256=<checksum of the release archive>")
    endif()
    include(FetchContent)
    if(_duckdb_arch STREQUAL "x64")
      set(_duckdb_arch amd64)
    endif()
    FetchContent_Declare(duckdb_archive URL_HASH SHA256=${DUCKDB_ARCHIVE_SHA256} DOWNLOAD_EXTRACT_TIMESTAMP TRUE
      URL "https://github.com/duckdb/duckdb/releases/download/v${DUCKDB_VERSION}/libduckdb-linux-${_duckdb_arch}.zip")
    FetchContent_MakeAvailable(duckdb_archive)
    set(DuckDB_LIBRARY "${duckdb_archive_SOURCE_DIR}/libduckdb.so" CACHE FILEPATH "" FORCE)
    set(DuckDB_INCLUDE_DIR "${duckdb_archive_SOURCE_DIR}" CACHE PATH "" FORCE)
  endif()

  if(NOT DuckDB_INCLUDE_DIR AND DUCKDB_FETCH MATCHES "npm|maven")
    set(_duckdb_header_dir "${DUCKDB_FETCH_DIR}/duckdb-${DUCKDB_HEADER_VERSION}")
    set(_duckdb_sdist "${_duckdb_header_dir}/duckdb-${DUCKDB_HEADER_VERSION}.tar.gz")
    if(NOT EXISTS "${_duckdb_sdist}")
      find_package(Python3 REQUIRED COMPONENTS Interpreter)
      message(STATUS "fetching the DuckDB ${DUCKDB_HEADER_VERSION} header")
      file(MAKE_DIRECTORY "${_duckdb_header_dir}")
      # Only this package from source: a bare `:all:` would compile CMake first.
      execute_process(COMMAND ${Python3_EXECUTABLE} -m pip download -q --no-deps --no-binary duckdb -d "${_duckdb_header_dir}"
                              "duckdb==${DUCKDB_HEADER_VERSION}" COMMAND_ERROR_IS_FATAL ANY)
    endif()
    set(_duckdb_include "${_duckdb_header_dir}/duckdb-${DUCKDB_HEADER_VERSION}/external/duckdb/src/include")
    if(NOT EXISTS "${_duckdb_include}/duckdb.h")
      _duckdb_check("${_duckdb_sdist}" sdist_${DUCKDB_HEADER_VERSION})
      file(ARCHIVE_EXTRACT INPUT "${_duckdb_sdist}" DESTINATION "${_duckdb_header_dir}" PATTERNS "*/duckdb/src/include/duckdb.h")
    endif()
    set(DuckDB_INCLUDE_DIR "${_duckdb_include}" CACHE PATH "" FORCE)
  endif()

  include(FindPackageHandleStandardArgs)
  find_package_handle_standard_args(DuckDB REQUIRED_VARS DuckDB_LIBRARY DuckDB_INCLUDE_DIR)
  if(DuckDB_FOUND)
    add_library(DuckDB::C SHARED IMPORTED)
    set_target_properties(DuckDB::C PROPERTIES IMPORTED_LOCATION "${DuckDB_LIBRARY}"
      INTERFACE_INCLUDE_DIRECTORIES "${DuckDB_INCLUDE_DIR}")
  endif()
endif()
