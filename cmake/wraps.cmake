# wraps.cmake - a test's __wrap_NAME replaces NAME, with the linker's --wrap.

function(link_wraps target source)
  file(STRINGS ${source} wraps REGEX "__wrap_")
  string(REGEX MATCHALL "__wrap_[A-Za-z0-9_]+" wraps "${wraps}")
  list(REMOVE_DUPLICATES wraps)
  list(TRANSFORM wraps REPLACE "^__wrap_" "-Wl,--wrap=")
  target_link_options(${target} PRIVATE ${wraps})
endfunction()
