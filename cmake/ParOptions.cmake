# ParOptions.cmake - every switch of the build, in one place.

option(PAR_BUILD_APPS "Build the sample programs of apps/" ${PROJECT_IS_TOP_LEVEL})
option(PAR_BUILD_BINDINGS "Build the Python package pypar" ${PROJECT_IS_TOP_LEVEL})
option(PAR_BUILD_TESTS "Build the library's tests" ${PROJECT_IS_TOP_LEVEL})
option(PAR_WERROR "Warnings are errors" OFF)
set(PAR_SANITIZE "" CACHE STRING "Sanitizers to build with, as in -fsanitize=")
set(PAR_MPIEXEC_FLAGS "" CACHE STRING
    "Flags for mpirun in the tests, on top of the environment's settings")
