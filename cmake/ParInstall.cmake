# ParInstall.cmake - what `cmake --install` lays down: the library, its header,
# and the two ways to find them, find_package(par) and pkg-config par.
include(CMakePackageConfigHelpers)

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/par)

install(TARGETS par EXPORT par FILE_SET HEADERS)
install(EXPORT par NAMESPACE par:: FILE parConfig.cmake DESTINATION ${config_dir})
write_basic_package_version_file(parConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/parConfigVersion.cmake
        DESTINATION ${config_dir})

# From where par.pc lies, so that an installed tree may be moved.
set(prefix ${CMAKE_INSTALL_PREFIX})
cmake_path(RELATIVE_PATH prefix BASE_DIRECTORY ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig
           OUTPUT_VARIABLE prefix_from_pc)
configure_file(${PROJECT_SOURCE_DIR}/cmake/par.pc.in par.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/par.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
