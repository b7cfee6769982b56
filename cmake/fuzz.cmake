# fuzz.cmake - a libFuzzer program for each tests/fuzz/fuzz_NAME.c; its first inputs lie in tests/fuzz/corpus_NAME.

if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "GVM_FUZZ needs clang: use the preset `fuzz`")
endif()
file(GLOB FUZZERS CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source ${FUZZERS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE parts)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
