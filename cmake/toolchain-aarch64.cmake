# Building for aarch64 on another machine, with what Debian has for it: g++-aarch64-linux-gnu, the libraries of the foreign
# architecture arm64, and qemu-user to run what was built. `make cross-aarch64` uses it; so does any build that is given
# it as CMAKE_TOOLCHAIN_FILE.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_ASM_COMPILER aarch64-linux-gnu-gcc)

# The machine's own libraries are of no use here, so pkg-config does not see them.
set(ENV{PKG_CONFIG_LIBDIR} "/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig")
set(ENV{PKG_CONFIG_PATH} "")

# Tests run under qemu, without those that qemu itself makes fail.
set(CMAKE_CROSSCOMPILING_EMULATOR "${CMAKE_CURRENT_LIST_DIR}/run-under-qemu")
