# ParAddTest.cmake - par_add_test(<noun> [STARTS_JOBS] [RANKS <n>...])
#
# Builds test_<noun>.c with Check and runs it under mpirun once for each number
# of ranks, as the tests lib.<noun>.n<ranks>. Without RANKS, or for RANKS 0, it
# runs without mpirun, as lib.<noun>. One that STARTS_JOBS of several ranks
# itself has the machine for itself.

function(par_add_test noun)
  cmake_parse_arguments(PARSE_ARGV 1 arg "STARTS_JOBS" "" "RANKS")
  if(NOT arg_RANKS)
    set(arg_RANKS 0)
  endif()

  set(program test_${noun})
  add_executable(${program} test_${noun}.c)
  target_link_libraries(${program} PRIVATE par_check)

  separate_arguments(flags UNIX_COMMAND "${PAR_MPIEXEC_FLAGS}")
  foreach(ranks IN LISTS arg_RANKS)
    if(ranks EQUAL 0)
      set(test lib.${noun})
      set(launcher "")
      set(processors 1)
      if(arg_STARTS_JOBS)
        set(processors 4)
      endif()
    else()
      set(test lib.${noun}.n${ranks})
      set(launcher ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} ${flags})
      set(processors ${ranks})
    endif()
    add_test(NAME ${test} COMMAND ${launcher} $<TARGET_FILE:${program}>)

    # PROCESSORS keeps `ctest -j` from starting more ranks than there are
    # cores. A lost message hangs: hence TIMEOUT, which is far beyond what a
    # slow machine needs. Check must not fork a rank.
    set_tests_properties(${test} PROPERTIES
      LABELS lib
      PROCESSORS ${processors}
      TIMEOUT 900
      ENVIRONMENT CK_FORK=no)
  endforeach()
endfunction()
