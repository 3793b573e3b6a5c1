# ParFlags.cmake - par_flags: the standard, warnings and sanitizers of our own
# code. Nothing is set globally, so a project that includes us keeps its flags.

add_library(par_flags INTERFACE)
target_compile_features(par_flags INTERFACE c_std_11)
target_compile_options(par_flags INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wundef
  -Werror=implicit-function-declaration)

if(PAR_WERROR)
  target_compile_options(par_flags INTERFACE -Werror)
endif()

if(PAR_SANITIZE)
  target_compile_options(par_flags INTERFACE
    -fsanitize=${PAR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(par_flags INTERFACE -fsanitize=${PAR_SANITIZE})
endif()
