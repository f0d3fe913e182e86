"""Where the programs under test are, and how they are started. The environment that ctest gives is described in
tests/end_to_end/CMakeLists.txt; without it, a test runs from the top of the source tree on what `make build` made.
"""

import os
import pathlib

SOURCE = pathlib.Path(os.environ.get("LAIO_SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("LAIO_BUILD_DIR", SOURCE / "build")).resolve()
BIN = BUILD / "bin"
HTTPD = str(BIN / "laio-httpd")
PROBE = str(BIN / "laio-probe")
REPLAY = str(BIN / "laio-replay")
IS_THREAD_SANITIZED = os.environ.get("LAIO_SANITIZE") == "thread"
IS_SANITIZED = bool(os.environ.get("LAIO_SANITIZE"))
# ThreadSanitizer needs to find its shadow memory where it expects it.
LAUNCHER = [str(SOURCE / "cmake" / "run-at-fixed-addresses")] if IS_THREAD_SANITIZED else []
# Ends a hang; nothing is measured by it.
ANTI_HANG_S = 240
