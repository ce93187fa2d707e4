# facemae_library(<folder> SOURCES ... [LIBRARIES ...] [PRIVATE_LIBRARIES ...] [PROTO <name>...] [TORCH]): the library of
# one folder, facemae_data_store of data/store; of a folder that has folders below it, as core/, facemae_core_root. It
# links what arrows.txt lets the folder include. SOURCES and PROTO are names in it; the header of x.proto is included
# as "<folder>/x.pb.h".
# TORCH: its sources see LibTorch, so they share one precompiled torch/torch.h. Beside the fuzz targets there is none.
# facemae_umbrella(<folder>): facemae_data, all libraries below data/.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/arrows.txt arrows REGEX "^[a-z]")
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/arrows.txt)
foreach(arrow IN LISTS arrows)
  string(REGEX MATCH "^([a-z0-9/]+): *(.*)$" matched "${arrow}")
  string(REPLACE " " ";" arrows_of_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()

# Sets `variable` to what stands for a folder in the line of `from`: its own library for the folder itself and from
# below it, all libraries below it for others.
function(facemae_library_of folder from variable)
  string(REPLACE "/" "_" name facemae_${folder})
  if(arrows MATCHES "(^|;)${folder}/" AND DEFINED arrows_of_${folder} AND "${from}/" MATCHES "^${folder}/")
    set(name ${name}_root)
  endif()
  set(${variable} ${name} PARENT_SCOPE)
endfunction()

function(facemae_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TORCH" "" "SOURCES;LIBRARIES;PRIVATE_LIBRARIES;PROTO")
  if(arg_TORCH AND FACEMAE_FUZZ)
    return()
  endif()
  if(NOT DEFINED arrows_of_${folder})
    message(FATAL_ERROR "${folder} has no line in cmake/arrows.txt: it says what the folder may include.")
  endif()
  facemae_library_of(${folder} ${folder} name)
  set(linked facemae_core)
  if(folder MATCHES "^core")
    set(linked "")
  endif()
  foreach(other IN LISTS arrows_of_${folder})
    facemae_library_of(${other} ${folder} library)
    if(NOT FACEMAE_FUZZ OR TARGET ${library})
      list(APPEND linked ${library})
    endif()
  endforeach()

  list(TRANSFORM arg_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/${folder}/)
  foreach(proto IN LISTS arg_PROTO)
    facemae_protobuf(${folder}/${proto} generated)
    list(APPEND arg_SOURCES ${generated})
    list(APPEND arg_PRIVATE_LIBRARIES protobuf::libprotobuf)
  endforeach()
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  if(arg_PROTO)
    target_include_directories(${name} SYSTEM PRIVATE ${PROJECT_BINARY_DIR})
  endif()
  target_link_libraries(${name} PUBLIC ${linked} ${arg_LIBRARIES} facemae_sanitize PRIVATE facemae_warnings ${arg_PRIVATE_LIBRARIES})
  if(arg_TORCH)
    facemae_uses_torch(${name} PUBLIC)
    set_target_properties(${name} PROPERTIES FACEMAE_TORCH TRUE)
  endif()
  string(REGEX REPLACE "/.*" "" top ${folder})
  set_property(GLOBAL APPEND PROPERTY facemae_below_${top} ${name})
endfunction()

# Generated code is not our style: it is compiled without our warnings, and apart.
function(facemae_protobuf proto variable)
  string(REGEX REPLACE "/[^/]*$" "" folder ${proto})
  set(generated ${PROJECT_BINARY_DIR}/${proto}.pb.cc ${PROJECT_BINARY_DIR}/${proto}.pb.h)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/${folder}
    COMMAND protobuf::protoc --proto_path=${PROJECT_SOURCE_DIR} --cpp_out=${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}/${proto}.proto
    DEPENDS ${PROJECT_SOURCE_DIR}/${proto}.proto)
  set_source_files_properties(${generated} PROPERTIES COMPILE_OPTIONS -w SKIP_PRECOMPILE_HEADERS ON SKIP_UNITY_BUILD_INCLUSION ON)
  set(${variable} ${generated} PARENT_SCOPE)
endfunction()

function(facemae_umbrella top)
  get_property(libraries GLOBAL PROPERTY facemae_below_${top})
  add_library(facemae_${top} INTERFACE)
  target_link_libraries(facemae_${top} INTERFACE ${libraries})
  foreach(library IN LISTS libraries)
    get_target_property(sees_torch ${library} FACEMAE_TORCH)
    if(sees_torch)
      set_target_properties(facemae_${top} PROPERTIES FACEMAE_TORCH TRUE)
    endif()
  endforeach()
endfunction()
