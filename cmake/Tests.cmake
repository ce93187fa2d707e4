# facemae_test(<name> SOURCES ... LIBRARIES ... [TORCH] [LABELS ...]): GoogleTest in one process.
# facemae_ranked_test(<name> RANKS 1 2 4 SOURCES ... LIBRARIES ...): the same test program on every rank, one CTest
# entry per number of ranks, which scripts/ranks.sh starts; it fails when a check fails on any rank.
# LABELS checks: a long test, which waits for `scripts/test.sh --checks`; full: a very long one, for `--full`.
# A test that takes FACEMAE_TEST_TIMEOUT hangs; what passes in a second takes a minute on a busy machine under a sanitizer.
# Tests that link nothing of LibTorch get the label torch_free and belong to the target torch_free_tests: what the
# sanitizers can see through, built in a minute.
find_package(GTest REQUIRED)
add_custom_target(torch_free_tests)

# Beside the fuzz targets only what is tested is instrumented, not the tests, which then compile in half the time. Linked
# last, so that its option comes last.
add_library(facemae_not_instrumented INTERFACE)
target_compile_options(facemae_not_instrumented INTERFACE -fno-sanitize=all)
target_compile_definitions(facemae_not_instrumented INTERFACE FACEMAE_TESTS_ADDRESS_SANITIZED_CODE) # tests/sanitizers.h

add_library(facemae_log_before_threads OBJECT ${PROJECT_SOURCE_DIR}/tests/log_before_threads.cpp)
target_link_libraries(facemae_log_before_threads PUBLIC spdlog::spdlog facemae_warnings)

set(FACEMAE_TEST_TIMEOUT 900)
set(FACEMAE_SHARED_DATA ${PROJECT_SOURCE_DIR}/../shared/data CACHE PATH "Real faces and golden numbers; tests that need them skip without")

function(facemae_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;LIBRARIES;LABELS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} facemae_log_before_threads GTest::gmock GTest::gtest_main facemae_warnings)
  if(arg_TORCH)
    facemae_uses_torch(${name} PRIVATE)
  endif()
  if(FACEMAE_FUZZ)
    target_link_libraries(${name} PRIVATE facemae_not_instrumented)
  endif()
  set(links_torch ${arg_TORCH})
  foreach(library IN LISTS arg_LIBRARIES)
    get_target_property(sees_torch ${library} FACEMAE_TORCH)
    if(sees_torch)
      set(links_torch TRUE)
    endif()
  endforeach()
  if(NOT links_torch)
    list(APPEND arg_LABELS torch_free)
    add_dependencies(torch_free_tests ${name})
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${FACEMAE_TEST_TIMEOUT} LABELS "${arg_LABELS}"
    ENVIRONMENT "OMP_NUM_THREADS=1;FACEMAE_SHARED_DATA=${FACEMAE_SHARED_DATA};FACEMAE_SOURCE=${PROJECT_SOURCE_DIR};FACEMAE_BINARY=${PROJECT_BINARY_DIR}/facemae")
endfunction()

function(facemae_ranked_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "RANKS;SOURCES;LIBRARIES;LABELS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE facemae_ranked_main ${arg_LIBRARIES} facemae_warnings)
  facemae_uses_torch(${name} PRIVATE)
  foreach(ranks IN LISTS arg_RANKS)
    add_test(NAME ${name}/ranks=${ranks}
      COMMAND ${PROJECT_SOURCE_DIR}/scripts/ranks.sh ${ranks} $<TARGET_FILE:${name}>)
    set(processors 2)
    if(ranks EQUAL 1)
      set(processors 1)
    endif()
    set_tests_properties(${name}/ranks=${ranks} PROPERTIES LABELS "ranked;${arg_LABELS}" PROCESSORS ${processors} TIMEOUT ${FACEMAE_TEST_TIMEOUT}
      ENVIRONMENT "MPIEXEC=${MPIEXEC_EXECUTABLE};OMP_NUM_THREADS=1;FACEMAE_SHARED_DATA=${FACEMAE_SHARED_DATA};FACEMAE_SOURCE=${PROJECT_SOURCE_DIR}")
  endforeach()
endfunction()
