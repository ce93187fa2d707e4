# Refuses a LibTorch that the program cannot be linked with: before 2.7, or of the C++ ABI that GCC had before version 5, which
# the wheels of PyPI have up to 2.6. A link shows it in a second, where the build would show it at its end.
set(torch_cure "scripts/setup.sh fetches a LibTorch that fits; of others name one of 2.7 or newer: -DTORCH_DIR=...")
if(FACEMAE_TORCH_VERSION AND FACEMAE_TORCH_VERSION VERSION_LESS 2.7)
  message(FATAL_ERROR "LibTorch ${FACEMAE_TORCH_VERSION} in ${FACEMAE_TORCH_HOME} is too old: 2.7 or newer is needed, because wheels of "
    "PyPI before it have an older C++ ABI. ${torch_cure}")
endif()

# A function that takes or returns a std::string has another name in each ABI.
file(WRITE ${PROJECT_BINARY_DIR}/torch_abi.cpp "#include <string>
namespace c10 { std::string demangle(const char* name); }
int main() { return c10::demangle(\"i\").empty() ? 1 : 0; }
")
foreach(abi 1 0)
  set(definitions "")
  if(NOT abi)
    set(definitions -D_GLIBCXX_USE_CXX11_ABI=0)
  endif()
  try_compile(torch_links ${PROJECT_BINARY_DIR}/torch_abi SOURCES ${PROJECT_BINARY_DIR}/torch_abi.cpp COMPILE_DEFINITIONS ${definitions}
    LINK_OPTIONS -Wl,--unresolved-symbols=ignore-in-shared-libs LINK_LIBRARIES ${torch_lib}/libc10.so OUTPUT_VARIABLE torch_said)
  set(torch_links_${abi} ${torch_links})
  unset(torch_links CACHE) # tried each time: TORCH_DIR may name another one
  if(torch_links_${abi})
    break()
  endif()
endforeach()
if(torch_links_0)
  message(FATAL_ERROR "LibTorch in ${FACEMAE_TORCH_HOME} has the C++ ABI of before GCC 5 (_GLIBCXX_USE_CXX11_ABI=0), which nothing else here "
    "has: the program could not be linked. ${torch_cure}")
elseif(NOT torch_links_1)
  message(FATAL_ERROR "LibTorch in ${FACEMAE_TORCH_HOME} cannot be linked with ${CMAKE_CXX_COMPILER}. ${torch_cure}\n${torch_said}")
endif()
