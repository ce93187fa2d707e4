# Builds libexif from its sources alone: scripts/small_libraries.sh puts this file beside them as CMakeLists.txt.
cmake_minimum_required(VERSION 3.25)
project(libexif VERSION ${VERSION} LANGUAGES C)
file(GLOB sources libexif/*.c libexif/canon/*.c libexif/fuji/*.c libexif/olympus/*.c libexif/pentax/*.c libexif/apple/*.c)
file(WRITE ${PROJECT_BINARY_DIR}/libexif/_stdint.h "#include <stdint.h>\n") # configure writes such a one
file(WRITE ${PROJECT_BINARY_DIR}/config.h "#define GETTEXT_PACKAGE \"libexif\"\n#define VERSION \"${VERSION}\"\n")
add_library(exif SHARED ${sources})
target_include_directories(exif PRIVATE ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR})
target_compile_options(exif PRIVATE -w)
target_link_libraries(exif PRIVATE m)
set_target_properties(exif PROPERTIES SOVERSION 12)
install(TARGETS exif LIBRARY DESTINATION lib)
install(DIRECTORY libexif/ ${PROJECT_BINARY_DIR}/libexif/ DESTINATION include/libexif FILES_MATCHING PATTERN "*.h")
file(WRITE ${PROJECT_BINARY_DIR}/libexif.pc "prefix=${CMAKE_INSTALL_PREFIX}\nName: libexif\nDescription: reads EXIF tags\n"
  "Version: ${VERSION}\nLibs: -L\${prefix}/lib -lexif\nCflags: -I\${prefix}/include\n")
install(FILES ${PROJECT_BINARY_DIR}/libexif.pc DESTINATION lib/pkgconfig)
