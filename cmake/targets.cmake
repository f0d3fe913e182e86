# The helpers that the rooms of the house use:
#
#   laio_add_shared_and_static(<name> OBJECTS <target> [SHARED_OBJECTS <target>] EXPORTS <version script>)
#       A library linked twice from objects that are compiled once: lib<name>.so, and lib<name>.a as target <name>_static;
#       or the first from objects of its own.
#       A C program links either without a C++ run-time library. To be called once in a folder: it sets how that links.
#
#   laio_add_tool(NAME <name> SOURCES <file>... [LIBRARIES <target>...])
#       A program in bin/. Links what it lists and nothing else: name `laio` to use the library (include/ comes with it).
#
#   laio_add_test(NAME <name> LABEL <label> SOURCES <file>... [LIBRARIES <target>...] [TIMEOUT <seconds>])
#       A GoogleTest program, run as one test of ctest by the same name, in the build folder. LABEL is one of
#       unit contract fault fuzz e2e bench. With `unit` it is linked from the library's objects and sees src/; otherwise it is
#       linked with the shared library and sees include/ only. The timeout is there to end a hang, not to measure: it is
#       stretched for sanitizers.

set(LAIO_TEST_LABELS unit contract fault fuzz e2e bench)

# What a sanitized program reads at its start. After a fork() the child of a threaded program goes on: our tests need it.
set(LAIO_TEST_ENVIRONMENT
    "LAIO_SOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "LAIO_BUILD_DIR=${PROJECT_BINARY_DIR}"
    "LAIO_SANITIZE=${LAIO_SANITIZE}"
    "ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1"
    "UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:history_size=4:die_after_fork=0:suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.suppressions")
set(LAIO_TEST_LAUNCHER)
set(LAIO_TEST_STRETCH 1)
if(LAIO_SANITIZE)
    set(LAIO_TEST_STRETCH 4)
endif()
if(LAIO_SANITIZE STREQUAL "thread")
    set(LAIO_TEST_LAUNCHER "${PROJECT_SOURCE_DIR}/cmake/run-at-fixed-addresses")
endif()
if(CMAKE_CROSSCOMPILING)
    set(LAIO_TEST_LAUNCHER ${CMAKE_CROSSCOMPILING_EMULATOR})
    set(LAIO_TEST_STRETCH 4)
endif()

# The library comes into a program once: as its objects, as the archive, or as the shared object.
function(laio_check_one_library name)
    set(forms ${ARGN})
    list(FILTER forms INCLUDE REGEX "^(laio|laio_static|laio_objects)$")
    list(REMOVE_DUPLICATES forms)
    list(LENGTH forms count)
    if(count GREATER 1)
        message(FATAL_ERROR "${name} links the library more than once: ${forms}")
    endif()
endfunction()

function(laio_add_shared_and_static name)
    cmake_parse_arguments(PARSE_ARGV 1 library "" "OBJECTS;SHARED_OBJECTS;EXPORTS" "")
    if(NOT library_OBJECTS OR NOT library_EXPORTS OR library_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "laio_add_shared_and_static(<name> OBJECTS <target> [SHARED_OBJECTS <target>] "
            "EXPORTS <version script>): ${ARGV}")
    endif()
    if(NOT library_SHARED_OBJECTS)
        set(library_SHARED_OBJECTS ${library_OBJECTS})
    endif()
    add_library(${name} SHARED $<TARGET_OBJECTS:${library_SHARED_OBJECTS}>)
    set_target_properties(${name} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
        LINK_DEPENDS "${library_EXPORTS}")
    # nodelete: threads call into it when they end.
    target_link_options(${name} PRIVATE
        "LINKER:--version-script=${library_EXPORTS}"
        "LINKER:-z,nodelete" "LINKER:-z,now" "LINKER:-z,relro" "LINKER:--no-undefined" "LINKER:--as-needed")

    add_library(${name}_static STATIC $<TARGET_OBJECTS:${library_OBJECTS}>)
    set_target_properties(${name}_static PROPERTIES OUTPUT_NAME ${name})

    foreach(library ${name} ${name}_static)
        target_include_directories(${library} INTERFACE "${PROJECT_SOURCE_DIR}/include")
        # With sanitizers only the C++ driver knows all libraries that are needed.
        if(LAIO_SANITIZE)
            set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX)
        else()
            set_target_properties(${library} PROPERTIES LINKER_LANGUAGE C)
        endif()
    endforeach()
    if(NOT LAIO_SANITIZE)
        # Or CMake itself would add libstdc++ for the objects that are C++.
        set(CMAKE_CXX_IMPLICIT_LINK_LIBRARIES "" PARENT_SCOPE)
    endif()
endfunction()

function(laio_add_tool)
    cmake_parse_arguments(PARSE_ARGV 0 tool "" "NAME" "SOURCES;LIBRARIES")
    if(NOT tool_NAME OR NOT tool_SOURCES OR tool_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "laio_add_tool(NAME <name> SOURCES <file>... [LIBRARIES <target>...]): ${ARGV}")
    endif()
    laio_check_one_library(${tool_NAME} ${tool_LIBRARIES})
    add_executable(${tool_NAME} ${tool_SOURCES})
    target_link_libraries(${tool_NAME} PRIVATE ${tool_LIBRARIES} Threads::Threads)
    if(LAIO_QUICK_BUILD)
        target_compile_options(${tool_NAME} PRIVATE "${LAIO_QUICK_OPTIONS}")
    endif()
endfunction()

# laio_register_test(<name> <label> <timeout> <command>...): a test of ctest with our environment; 77 is a skip.
function(laio_register_test name label timeout)
    if(NOT label IN_LIST LAIO_TEST_LABELS)
        message(FATAL_ERROR "test ${name}: label '${label}' is none of ${LAIO_TEST_LABELS}")
    endif()
    math(EXPR timeout "${timeout} * ${LAIO_TEST_STRETCH}")
    add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_BINARY_DIR}")
    set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${timeout} SKIP_RETURN_CODE 77
        ENVIRONMENT "${LAIO_TEST_ENVIRONMENT}")
endfunction()

function(laio_add_test)
    cmake_parse_arguments(PARSE_ARGV 0 test "" "NAME;LABEL;TIMEOUT" "SOURCES;LIBRARIES")
    if(NOT test_NAME OR NOT test_LABEL OR NOT test_SOURCES OR test_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "laio_add_test(NAME <name> LABEL <label> SOURCES <file>... [LIBRARIES <target>...] "
            "[TIMEOUT <seconds>]): ${ARGV}")
    endif()
    if(NOT LAIO_BUILD_TESTS)
        return()
    endif()
    if(NOT test_TIMEOUT)
        set(test_TIMEOUT 120)
    endif()
    set(libraries ${test_LIBRARIES})
    if(test_LABEL STREQUAL "unit")
        list(APPEND libraries laio_objects)
    elseif(NOT "laio_objects" IN_LIST libraries AND NOT "laio_static" IN_LIST libraries)
        list(APPEND libraries laio)
    endif()
    laio_check_one_library(${test_NAME} ${libraries})
    add_executable(${test_NAME} ${test_SOURCES})
    target_include_directories(${test_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
    target_link_libraries(${test_NAME} PRIVATE ${libraries} GTest::gtest_main GTest::gtest Threads::Threads)
    laio_register_test(${test_NAME} ${test_LABEL} ${test_TIMEOUT} ${LAIO_TEST_LAUNCHER} $<TARGET_FILE:${test_NAME}>)
    set_property(GLOBAL APPEND PROPERTY LAIO_${test_LABEL}_TESTS ${test_NAME})
endfunction()
