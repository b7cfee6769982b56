# wraps.cmake - a test's __wrap_NAME replaces NAME, with the linker's --wrap.

# How the target's dependents (INTERFACE) or the target itself (PRIVATE) are linked, by the source that defines __wrap_NAME.
function(link_wraps target scope source)
  file(STRINGS ${source} wraps REGEX "__wrap_")
  string(REGEX MATCHALL "__wrap_[A-Za-z0-9_]+" wraps "${wraps}")
  list(REMOVE_DUPLICATES wraps)
  list(TRANSFORM wraps REPLACE "^__wrap_" "-Wl,--wrap=")
  target_link_options(${target} ${scope} ${wraps})
endfunction()
