# What `cmake --install` puts where, so that `find_package(tipple)` works from there, wherever it is moved to:
#
#   bin/tipple                        the command
#   include/tipple/...                the public headers, as in src/tipple
#   lib/libtipple_*.a                 one library per module
#   lib/cmake/tipple                  the package: targets, and the same look for dependencies as here
#   lib/tipple                        the DuckDB library, where this build has fetched it
#
# Programs link tipple::tipple, which is everything.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(TIPPLE_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/tipple")
set(TIPPLE_PRIVATE_DIR "${CMAKE_INSTALL_LIBDIR}/tipple")

function(tipple_install_module name headers)
  target_include_directories(tipple_${name} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(tipple_${name} INTERFACE cxx_std_20)
  set_target_properties(tipple_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS tipple_${name} EXPORT tipple ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES ${headers} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tipple/${name}")
endfunction()

# Call when all targets are there.
function(tipple_install_package)
  add_library(tipple_all INTERFACE)
  add_library(tipple::tipple ALIAS tipple_all)
  target_link_libraries(tipple_all INTERFACE tipple_cli tipple::api)
  set_target_properties(tipple_all PROPERTIES EXPORT_NAME tipple)
  set_target_properties(tipple_cli PROPERTIES EXPORT_NAME cli)
  # With different folders to look for libraries in before and after, CMake ends the list in the build tree with a separator, and the loader takes
  # nothing behind a separator for the current folder: whoever could write to that had code run. So both get one list, and installing shortens it.
  # The folder of a library that is installed on this machine, but not where the loader looks, stays.
  set_target_properties(tipple PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS tipple RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(TARGETS tipple_all tipple_cli EXPORT tipple ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES "${PROJECT_SOURCE_DIR}/src/tipple/tipple.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tipple")
  install(EXPORT tipple NAMESPACE tipple:: FILE tippleTargets.cmake DESTINATION ${TIPPLE_PACKAGE_DIR})

  configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/tippleConfig.cmake.in" "${PROJECT_BINARY_DIR}/tippleConfig.cmake"
                                INSTALL_DESTINATION ${TIPPLE_PACKAGE_DIR} PATH_VARS TIPPLE_PRIVATE_DIR)
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/tippleConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/tippleConfig.cmake" "${PROJECT_BINARY_DIR}/tippleConfigVersion.cmake"
                "${PROJECT_SOURCE_DIR}/cmake/dependencies.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindDuckDB.cmake" DESTINATION ${TIPPLE_PACKAGE_DIR})
  # One that is installed on this machine stays where it is.
  if(DuckDB_LIBRARY AND DuckDB_LIBRARY MATCHES "^${DUCKDB_FETCH_DIR}/")
    install(FILES "${DuckDB_LIBRARY}" "${DuckDB_INCLUDE_DIR}/duckdb.h" DESTINATION ${TIPPLE_PRIVATE_DIR})
    get_filename_component(fetched "${DuckDB_LIBRARY}" DIRECTORY)
    set(installed "$ORIGIN/../${TIPPLE_PRIVATE_DIR}")
    set_target_properties(tipple PROPERTIES INSTALL_RPATH_USE_LINK_PATH OFF INSTALL_RPATH "${fetched};${installed}")
    install(CODE "file(RPATH_CHANGE FILE \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/tipple\"
                       OLD_RPATH [[${fetched}:${installed}]] NEW_RPATH [[${installed}]])")
  endif()
endfunction()
