# What `cmake --install` puts where, and how other builds find it: pkg-config (laio.pc) and find_package(laio).

include(CMakePackageConfigHelpers)

set(laio_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/laio")

install(TARGETS laio laio_static)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/laio" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")

set(laio_private_libs)
if(LAIO_WITH_LIBURING)
    set(laio_private_libs uring)
endif()

# Folders are written relative to the prefix, so that an installed tree can be moved.
set(laio_pc_libs_private "")
foreach(library IN LISTS laio_private_libs)
    string(APPEND laio_pc_libs_private " -l${library}")
endforeach()
file(RELATIVE_PATH laio_pc_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
configure_file(cmake/laio.pc.in "${PROJECT_BINARY_DIR}/laio.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/laio.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

# The adapters' headers are installed with the others; the libraries are, when they were built.
set(laio_has_libevent 0)
set(laio_libevent_kind SHARED)
set(laio_libevent_file "")
if(TARGET laio-libevent)
    set(laio_has_libevent 1)
    set(laio_libevent_file "$<TARGET_FILE_NAME:laio-libevent>")
    get_target_property(laio_libevent_type laio-libevent TYPE)
    if(laio_libevent_type STREQUAL "STATIC_LIBRARY")
        set(laio_libevent_kind STATIC)
    endif()
    install(TARGETS laio-libevent)
endif()
configure_package_config_file(cmake/laio-config.cmake.in "${PROJECT_BINARY_DIR}/laio-config.cmake.in"
    INSTALL_DESTINATION "${laio_cmake_dir}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/laio-config.cmake" INPUT "${PROJECT_BINARY_DIR}/laio-config.cmake.in")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/laio-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/laio-config.cmake" "${PROJECT_BINARY_DIR}/laio-config-version.cmake"
    DESTINATION "${laio_cmake_dir}")

foreach(tool laio-httpd laio-probe laio-replay laio-slowfs)
    if(TARGET ${tool})
        install(TARGETS ${tool})
    endif()
endforeach()

foreach(section 1 3 7)
    file(GLOB laio_man_pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/man/*.${section}")
    if(laio_man_pages)
        install(FILES ${laio_man_pages} DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
    endif()
endforeach()
