# tests.cmake - examples and tests. A test that ends with status 77 says that it was skipped. Its time limit is against
# one that hangs: none may fail for a slow or busy machine.

# Threads that wait give their core away: tests share the cores with each other and with whatever else runs.
set(TEST_ENVIRONMENT OMP_WAIT_POLICY=passive)
if(GVM_SANITIZE)
  list(APPEND TEST_ENVIRONMENT "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/suppressions.txt:print_suppressions=0"
      "UBSAN_OPTIONS=print_stacktrace=1" "ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1")
endif()

# CUDA's part compiled for the CPU (tests/cuda_host): what its kernels compute is tested on machines without a GPU. Not
# under AddressSanitizer, which would have to be told of each change of stack.
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER AND GVM_CUDA AND NOT GVM_SANITIZE)
  enable_language(CXX)
  set(HOST_SOURCES "")
  foreach(source ${CUDA_SOURCES}) # one source cannot be of two languages
    get_filename_component(name ${source} NAME_WE)
    set(host ${CMAKE_BINARY_DIR}/cuda_host/${name}.cpp)
    file(CONFIGURE OUTPUT ${host} CONTENT "#include \"@source@\"\n" @ONLY)
    list(APPEND HOST_SOURCES ${host})
  endforeach()
  file(GLOB HOST_SUPPORT CONFIGURE_DEPENDS tests/cuda_host/*.cpp)
  add_library(cuda_host MODULE ${HOST_SOURCES} ${HOST_SUPPORT} ${CUDA_C_SOURCES})
  target_include_directories(cuda_host PRIVATE tests/cuda_host src include)
  target_compile_definitions(cuda_host PRIVATE GVM_CUDA_HOST)
  target_compile_options(cuda_host PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-sign-compare;-Wno-unknown-pragmas;-fvisibility=hidden;-U_FORTIFY_SOURCE>")
  if(GVM_WERROR)
    target_compile_options(cuda_host PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-Werror>")
  endif()
  target_link_libraries(cuda_host PRIVATE PkgConfig::GLIB Threads::Threads ${MATH})
  set_target_properties(cuda_host PROPERTIES CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
endif()

function(add_check name)
  cmake_parse_arguments(PARSE_ARGV 1 CHECK "" "" "COMMAND;ENVIRONMENT")
  add_test(NAME ${name} COMMAND ${CHECK_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1800
                       ENVIRONMENT "${TEST_ENVIRONMENT};${CHECK_ENVIRONMENT}")
endfunction()

pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(NOT CMOCKA_FOUND)
  message(FATAL_ERROR "The tests need cmocka: install it (`make deps-test` does), or configure with -DBUILD_TESTING=OFF")
endif()

# ThreadSanitizer sees the locks neither of libgomp nor of GLib's own threads: it gets what uses neither.
if(GVM_TSAN)
  add_executable(test_ring tests/test_ring.c src/base/ring.c src/base/error.c src/base/random.c)
  target_include_directories(test_ring PRIVATE src include)
  target_compile_options(test_ring PRIVATE -UNDEBUG)
  target_link_libraries(test_ring PRIVATE PkgConfig::GLIB PkgConfig::CMOCKA Threads::Threads ${MATH})
  add_check(test_ring COMMAND test_ring)
  return()
endif()

# Examples use the library as a stranger does: the shared one and the public header.
file(GLOB EXAMPLES CONFIGURE_DEPENDS examples/*.c)
foreach(source ${EXAMPLES})
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE libgeoviewmatch)
endforeach()

# What the tests share, such as a layer restated as a plain loop.
file(GLOB TEST_SUPPORT CONFIGURE_DEPENDS tests/*.c)
list(FILTER TEST_SUPPORT EXCLUDE REGEX "/test_[^/]*$")
file(GLOB TESTS CONFIGURE_DEPENDS tests/test_*.c)
add_library(test_settings INTERFACE)
target_include_directories(test_settings INTERFACE tests)
target_compile_options(test_settings INTERFACE -UNDEBUG)
target_link_libraries(test_settings INTERFACE parts PkgConfig::MATIO PkgConfig::CMOCKA)
if(TEST_SUPPORT)
  add_library(test_support STATIC ${TEST_SUPPORT})
  target_link_libraries(test_support PUBLIC test_settings)
endif()

# `make check` builds and runs these alone.
add_custom_target(quick)
foreach(source ${TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE $<TARGET_NAME_IF_EXISTS:test_support> test_settings)
  add_dependencies(quick ${name})
  file(STRINGS ${source} wraps REGEX "__wrap_") # a test's __wrap_NAME stands in for NAME, as the linker has it
  string(REGEX MATCHALL "__wrap_[A-Za-z0-9_]+" wraps "${wraps}")
  list(REMOVE_DUPLICATES wraps)
  list(TRANSFORM wraps REPLACE "^__wrap_" "-Wl,--wrap=")
  target_link_options(${name} PRIVATE ${wraps})
  if(name MATCHES "^test_(layers|kernels|search)")
    foreach(isa plain avx2 avx512) # the inner loops and what rests on them; one that the machine lacks is skipped
      add_check(${name}_${isa} COMMAND ${name} ENVIRONMENT GVM_ISA=${isa})
      set_tests_properties(${name}_${isa} PROPERTIES LABELS quick)
    endforeach()
    if(name MATCHES "^test_layers") # and on a device: CUDA's, and CUDA's part as compiled for the CPU
      add_check(${name}_cuda COMMAND ${name} ENVIRONMENT GVM_LAYER_DEVICE=cuda)
      if(TARGET cuda_host)
        add_check(${name}_cuda_host COMMAND ${name}
                  ENVIRONMENT GVM_LAYER_DEVICE=cuda GVM_CUDA_MODULE=$<TARGET_FILE:cuda_host>)
        set_tests_properties(${name}_cuda_host PROPERTIES COST 200)
      endif()
    endif()
  else()
    add_check(${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS quick)
  endif()
  if(name MATCHES "^test_cuda" AND TARGET cuda_host)
    add_check(${name}_host COMMAND ${name} ENVIRONMENT GVM_CUDA_MODULE=$<TARGET_FILE:cuda_host>)
    set_tests_properties(${name}_host PROPERTIES COST 200)
  endif()
endforeach()
if(TARGET cuda_host) # epilogues or products that cuBLASLt does not offer
  foreach(layer_plain linear:epilogues linear:products feature:products conv:epilogues)
    string(REPLACE ":" ";" parts ${layer_plain})
    list(GET parts 0 layer)
    list(GET parts 1 plain)
    add_check(test_layers_${layer}_cuda_plain_${plain} COMMAND test_layers_${layer} ENVIRONMENT GVM_LAYER_DEVICE=cuda
              GVM_CUDA_HOST_PLAIN=${plain} GVM_CUDA_MODULE=$<TARGET_FILE:cuda_host>)
  endforeach()
endif()

# Commands as a user types them. Each script runs in one of the builds that `make test` makes: those that parse files, index,
# train and serve under the sanitizers, these in the release build, which is what users have.
set(RELEASE_SCRIPTS "bench|check|cuda|demo|embed|eval|golden_run|info|init_info|known|opens|outputs|page|readme|report|serve_ends|usage|world")
if(TARGET geoviewmatch)
  file(GLOB SCRIPTS CONFIGURE_DEPENDS tests/cli/*.sh)
  if(GVM_SANITIZE)
    list(FILTER SCRIPTS EXCLUDE REGEX "/(${RELEASE_SCRIPTS})\\.sh$")
  endif()
  foreach(script ${SCRIPTS})
    get_filename_component(name ${script} NAME_WE)
    add_check(cli_${name} COMMAND bash ${script}
              ENVIRONMENT GEOVIEWMATCH=$<TARGET_FILE:geoviewmatch> TOOLS=${CMAKE_SOURCE_DIR}/tools)
    if(NOT name MATCHES "^(${RELEASE_SCRIPTS})$") # cmake/test.sh leaves these out of the release build
      set_tests_properties(cli_${name} PROPERTIES LABELS sanitized)
    endif()
    if(name STREQUAL "cuda" AND TARGET cuda_host)
      set_property(TEST cli_cuda APPEND PROPERTY ENVIRONMENT CUDA_HOST=$<TARGET_FILE:cuda_host>)
    endif()
    if(name MATCHES "^(page|index|train|world|demo|locate)$") # the longest begin first, so that no core waits at the end
      set_tests_properties(cli_${name} PROPERTIES COST 100)
    endif()
  endforeach()
endif()

# The house itself: its files' lengths and what the documents name; and, where the objects show it, who calls whom.
foreach(check lengths names)
  add_check(house_${check} COMMAND bash tests/house/${check}.sh)
  set_tests_properties(house_${check} PROPERTIES LABELS quick)
endforeach()
if(TARGET geoviewmatch AND NOT GVM_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_check(house_order COMMAND bash tests/house/order.sh $<TARGET_OBJECTS:objects> $<TARGET_OBJECTS:kernels_plain>
            $<TARGET_OBJECTS:parts> $<TARGET_OBJECTS:geoviewmatch>)
endif()

add_check(exports COMMAND bash cmake/check_exports.sh $<TARGET_FILE:libgeoviewmatch> include/geoviewmatch.h)
add_check(abi COMMAND bash cmake/check_abi.sh ${CMAKE_C_COMPILER} include/geoviewmatch.h tests/golden/abi.txt)
if(NOT GVM_SANITIZE)
  add_check(install COMMAND bash cmake/check_install.sh ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
endif()
if(NOT GVM_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU") # how it is built, which is the same in all builds
  add_check(packaging_packages COMMAND bash tests/packaging/packages.sh)
  add_check(packaging_summary COMMAND bash tests/packaging/summary.sh)
  add_check(packaging_configured COMMAND bash tests/packaging/configured.sh ${CMAKE_COMMAND} ${CMAKE_C_COMPILER})
endif()
if(GVM_TIDY) # a test for each folder, so that they run beside others
  file(GLOB folders LIST_DIRECTORIES true RELATIVE ${CMAKE_SOURCE_DIR} src/* src/*/* program/*)
  foreach(folder ${folders})
    file(GLOB sources ${folder}/*.c)
    if(sources)
      string(REPLACE "/" "_" name ${folder})
      add_check(tidy_${name} COMMAND bash cmake/check_tidy.sh ${CMAKE_BINARY_DIR} ${folder})
    endif()
  endforeach()
endif()
find_program(CLANG_FORMAT clang-format)
if(GVM_FORMAT AND CLANG_FORMAT)
  add_check(format COMMAND bash cmake/check_format.sh ${CLANG_FORMAT})
endif()
