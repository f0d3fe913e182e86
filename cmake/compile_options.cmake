# How everything of ours is compiled: language levels, warnings, optimisation, sanitizers, and where the results go.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
# Installed programs find the library beside them, wherever the prefix is.
file(RELATIVE_PATH laio_bin_to_lib "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
set(CMAKE_INSTALL_RPATH "$ORIGIN/${laio_bin_to_lib}")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# No NDEBUG: our checks are always on, and CMake's own flags for this build type would set it for other headers' asserts.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")

add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>")
if(LAIO_WERROR)
    add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-Werror>")
endif()
add_compile_options(-fno-omit-frame-pointer)

# What is no library in a quick build. What may be used uninitialized, only the optimizer knows.
set(LAIO_QUICK_OPTIONS "$<$<COMPILE_LANGUAGE:C,CXX>:-O0;-g1;-Wno-maybe-uninitialized>")

if(LAIO_SANITIZE STREQUAL "address,undefined" OR LAIO_SANITIZE STREQUAL "thread")
    # -O1: stacks in reports stay readable. vptr needs run-time type information, which the library does without.
    add_compile_options("$<$<COMPILE_LANGUAGE:C,CXX>:-O1;-fsanitize=${LAIO_SANITIZE};-fno-sanitize-recover=all>")
    add_link_options(-fsanitize=${LAIO_SANITIZE})
    if(LAIO_SANITIZE MATCHES "undefined")
        add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=vptr>")
    endif()
elseif(LAIO_SANITIZE)
    message(FATAL_ERROR "LAIO_SANITIZE is '${LAIO_SANITIZE}'; it can be empty, 'address,undefined' or 'thread'.")
endif()
