# tests.cmake - examples and tests. Exit status 77 means that a test was skipped. The time limit is for tests that hang:
# none may fail because the machine is slow or busy.

# Waiting threads yield their core, because tests share the cores with each other and with other processes.
set(TEST_ENVIRONMENT OMP_WAIT_POLICY=passive)
if(GVM_SANITIZE)
  list(APPEND TEST_ENVIRONMENT "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/suppressions.txt:print_suppressions=0"
      "UBSAN_OPTIONS=print_stacktrace=1" "ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1")
endif()
# ThreadSanitizer needs several threads, however few the cores. GLib's own allocator would hand memory from thread to
# thread unseen. With some kernels, addresses are too random for older versions of ThreadSanitizer.
set(LAUNCH "")
if(GVM_TSAN)
  list(APPEND TEST_ENVIRONMENT OMP_NUM_THREADS=4 G_SLICE=always-malloc
      "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/suppressions_tsan.txt")
  execute_process(COMMAND setarch -R true RESULT_VARIABLE refused OUTPUT_QUIET ERROR_QUIET)
  if(refused EQUAL 0)
    set(LAUNCH setarch -R)
  endif()
endif()

# The CUDA module compiled for the CPU (tests/cuda_host), to test its kernels on machines without a GPU. Not under
# AddressSanitizer, which would have to be informed of each change of stack.
include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER AND GVM_CUDA AND NOT GVM_SANITIZE)
  enable_language(CXX)
  set(HOST_SOURCES "")
  foreach(source ${CUDA_SOURCES}) # a source has only one language
    get_filename_component(name ${source} NAME_WE)
    set(host ${CMAKE_BINARY_DIR}/cuda_host/${name}.cpp)
    file(CONFIGURE OUTPUT ${host} CONTENT "#include \"@source@\"\n" @ONLY)
    list(APPEND HOST_SOURCES ${host})
  endforeach()
  file(GLOB HOST_SUPPORT CONFIGURE_DEPENDS tests/cuda_host/*.cpp)
  add_library(cuda_host MODULE ${HOST_SOURCES} ${HOST_SUPPORT} ${CUDA_C_SOURCES})
  set_target_properties(cuda_host PROPERTIES EXPORT_COMPILE_COMMANDS OFF) # clang-tidy reads each source once
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

# lld links the tests five times as fast as GNU ld. What is shipped was defined before this and keeps the system's linker.
include(CheckLinkerFlag)
check_linker_flag(C -fuse-ld=lld HAS_LLD)
if(HAS_LLD)
  add_link_options(-fuse-ld=lld)
endif()

function(add_check name)
  cmake_parse_arguments(PARSE_ARGV 1 CHECK "" "" "COMMAND;ENVIRONMENT")
  list(POP_FRONT CHECK_COMMAND first)
  if(LAUNCH AND TARGET ${first}) # CMake itself replaces a target's name only where a command begins
    set(first $<TARGET_FILE:${first}>)
  endif()
  add_test(NAME ${name} COMMAND ${LAUNCH} ${first} ${CHECK_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} COMMAND_EXPAND_LISTS)
  set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 1800
                       ENVIRONMENT "${TEST_ENVIRONMENT};${CHECK_ENVIRONMENT}")
endfunction()

pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
if(NOT CMOCKA_FOUND)
  message(FATAL_ERROR "The tests need cmocka: install it (`make deps-test` does), or configure with -DBUILD_TESTING=OFF")
endif()

# For ThreadSanitizer: what libgomp, GLib and oneDNN do, where it can see it (docs/decisions/0010-thread-sanitizer.md).
if(GVM_TSAN)
  add_library(tsan OBJECT tests/tsan/team.c tests/tsan/seen.c)
  target_link_libraries(tsan PRIVATE settings PkgConfig::GLIB)
  target_link_libraries(geoviewmatch PRIVATE tsan)
endif()

# Examples are clients of the library: they use the shared library and the public header.
file(GLOB EXAMPLES CONFIGURE_DEPENDS examples/*.c)
foreach(source ${EXAMPLES})
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE libgeoviewmatch)
endforeach()

# Code shared by the tests, such as layers written as plain loops.
file(GLOB TEST_SUPPORT CONFIGURE_DEPENDS tests/*.c)
list(FILTER TEST_SUPPORT EXCLUDE REGEX "/test_[^/]*$")
file(GLOB TESTS CONFIGURE_DEPENDS tests/test_*.c)
if(GVM_TSAN) # those that start threads
  list(FILTER TESTS INCLUDE REGEX "/test_(api|api_locate|cache|chance|clusters|evaluate|file|image_limits|import|\
layers_(attention|convnext|feature|linear|norm)|loader|loader_places|locate|map_guard|neighbours|ring|search)\\.c$")
endif()
add_library(test_settings INTERFACE)
target_include_directories(test_settings INTERFACE tests)
target_compile_options(test_settings INTERFACE -UNDEBUG)
target_link_libraries(test_settings INTERFACE parts PkgConfig::MATIO PkgConfig::CMOCKA)
if(TEST_SUPPORT)
  add_library(test_support STATIC ${TEST_SUPPORT})
  target_link_libraries(test_support PUBLIC test_settings)
endif()

# System calls that fail where a test wants it (tests/faults/fault.h), for targets that link this.
include(cmake/wraps.cmake)
file(GLOB FAULT_SOURCES CONFIGURE_DEPENDS tests/faults/*.c)
add_library(faults OBJECT ${FAULT_SOURCES})
target_include_directories(faults PUBLIC tests)
target_link_libraries(faults PRIVATE PkgConfig::JANSSON)
foreach(source ${FAULT_SOURCES})
  link_wraps(faults INTERFACE ${source})
endforeach()

# `make check` builds and runs these alone.
add_custom_target(quick)
foreach(source ${TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE $<TARGET_NAME_IF_EXISTS:test_support> test_settings)
  if(GVM_SANITIZE) # compiles in half of the time, and runs little
    target_compile_options(${name} PRIVATE -O0)
  endif()
  if(GVM_TSAN)
    target_link_libraries(${name} PRIVATE tsan)
  endif()
  add_dependencies(quick ${name})
  link_wraps(${name} PRIVATE ${source})
  file(STRINGS ${source} uses_faults REGEX "#include \"faults/fault.h\"")
  if(uses_faults)
    target_link_libraries(${name} PRIVATE faults)
  endif()
  if(name MATCHES "^test_(layers|kernels|search)" AND NOT GVM_TSAN)
    foreach(isa plain avx2 avx512) # the inner loops and what rests on them; one that the machine lacks is skipped
      add_check(${name}_${isa} COMMAND ${name} ENVIRONMENT GVM_ISA=${isa})
      set_tests_properties(${name}_${isa} PROPERTIES LABELS quick)
    endforeach()
    if(name MATCHES "^test_layers") # also on devices: a GPU, and the CUDA module compiled for the CPU
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
if(TARGET cuda_host) # as if cuBLASLt lacked an epilogue or a product
  foreach(layer_plain linear:epilogues linear:products feature:products conv:epilogues)
    string(REPLACE ":" ";" parts ${layer_plain})
    list(GET parts 0 layer)
    list(GET parts 1 plain)
    add_check(test_layers_${layer}_cuda_plain_${plain} COMMAND test_layers_${layer} ENVIRONMENT GVM_LAYER_DEVICE=cuda
              GVM_CUDA_HOST_PLAIN=${plain} GVM_CUDA_MODULE=$<TARGET_FILE:cuda_host>)
  endforeach()
endif()

if(GVM_SANITIZE)
  include(cmake/fuzz.cmake)
endif()

# Commands as a user types them. Each script runs in one build of `make test`: those that parse files, index, train and
# serve under the sanitizers, these in the release build, which users have.
set(RELEASE_SCRIPTS "bench|check|cuda|demo|embed|eval|eval_fov|golden_run|heatmap|index_cells|info|init_info|known|locate|\
opens|outputs|page|readme|report|scores|serve|serve_ends|train_photos|train_views|usage|world")
if(TARGET geoviewmatch)
  file(GLOB SCRIPTS CONFIGURE_DEPENDS tests/cli/*.sh)
  if(GVM_TSAN)
    list(FILTER SCRIPTS INCLUDE REGEX "/serve_threads\\.sh$")
  else()
    list(FILTER SCRIPTS EXCLUDE REGEX "/serve_threads\\.sh$")
  endif()
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
    if(name MATCHES "^(page|index|train|world|demo|locate)$") # the longest start first, so that no core is idle at the end
      set_tests_properties(cli_${name} PROPERTIES COST 100)
    endif()
  endforeach()
endif()

if(GVM_TSAN) # the rest is the same in all builds
  return()
endif()

# The program once more, whose calls of the system fail as the environment says.
if(TARGET geoviewmatch)
  add_executable(geoviewmatch_faults ${INSIDE_SOURCES} $<TARGET_OBJECTS:commands>)
  target_link_libraries(geoviewmatch_faults PRIVATE parts faults)
  set_target_properties(geoviewmatch_faults PROPERTIES EXPORT_COMPILE_COMMANDS OFF) # clang-tidy reads the program's once
  if(GVM_SANITIZE) # some calls of some commands; `make faults` takes all of all
    add_check(faults_commands COMMAND python3 tests/faults/sweep.py $<TARGET_FILE:geoviewmatch_faults> --short 2
              --kinds alloc,json --only import index_raster index_cells train locate_photo)
    add_check(faults_service COMMAND python3 tests/faults/service_sweep.py $<TARGET_FILE:geoviewmatch_faults> --short 1)
  endif()
endif()

# Rules of the house: lengths of files, names in the documents, and, with gcc's objects, the order of calls.
if(NOT GVM_SANITIZE) # the same in all builds
  foreach(check lengths names)
    add_check(house_${check} COMMAND bash tests/house/${check}.sh)
    set_tests_properties(house_${check} PROPERTIES LABELS quick)
  endforeach()
endif()
if(TARGET geoviewmatch AND NOT GVM_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_check(house_order COMMAND bash tests/house/order.sh $<TARGET_OBJECTS:objects> $<TARGET_OBJECTS:kernels_plain>
            $<TARGET_OBJECTS:parts> $<TARGET_OBJECTS:geoviewmatch>)
endif()

add_check(exports COMMAND bash cmake/check_exports.sh $<TARGET_FILE:libgeoviewmatch> include/geoviewmatch.h)
add_check(abi COMMAND bash cmake/check_abi.sh ${CMAKE_C_COMPILER} include/geoviewmatch.h tests/golden/abi.txt)
if(NOT GVM_SANITIZE)
  add_check(install COMMAND bash cmake/check_install.sh ${CMAKE_COMMAND} ${CMAKE_BINARY_DIR} ${CMAKE_C_COMPILER})
endif()
if(NOT GVM_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU") # build and packaging scripts, the same in all builds
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

# The program's calls on files fail (tests/disk). The library to preload reads the registers of x86-64, and is not itself
# checked by sanitizers. Under these only what allocates most beside its files.
if(TARGET geoviewmatch AND CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$"
   AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  add_library(fail_io MODULE tests/disk/fail_io.c)
  target_compile_options(fail_io PRIVATE -fno-sanitize=all)
  target_link_options(fail_io PRIVATE -fno-sanitize=all)
  target_link_libraries(fail_io PRIVATE ${CMAKE_DL_LIBS})
  if(GVM_SANITIZE)
    set(DISK_CASES --case index-tiles --case embed --case train-resume)
  endif()
  add_check(disk COMMAND python3 tests/disk/sweep.py $<TARGET_FILE:geoviewmatch> $<TARGET_FILE:fail_io> ${DISK_CASES})
endif()
