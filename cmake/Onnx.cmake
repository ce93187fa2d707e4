# Networks of others, as ONNX files, run in OpenCV's dnn (4.5 or newer). Optional: without it the program says how to get it.
# facemae_opencv exists when it is there; FACEMAE_HAS_ONNX says so.
set(FACEMAE_HAS_ONNX OFF)
if(NOT FACEMAE_ONNX STREQUAL "OFF")
  find_path(FACEMAE_OPENCV_INCLUDE opencv2/dnn.hpp PATH_SUFFIXES opencv4)
  find_library(FACEMAE_OPENCV_DNN opencv_dnn)
  find_library(FACEMAE_OPENCV_CORE opencv_core)
  if(FACEMAE_OPENCV_INCLUDE AND FACEMAE_OPENCV_DNN AND FACEMAE_OPENCV_CORE)
    set(FACEMAE_HAS_ONNX ON)
    add_library(facemae_opencv INTERFACE)
    target_include_directories(facemae_opencv SYSTEM INTERFACE ${FACEMAE_OPENCV_INCLUDE})
    target_link_libraries(facemae_opencv INTERFACE ${FACEMAE_OPENCV_DNN} ${FACEMAE_OPENCV_CORE})
  elseif(FACEMAE_ONNX STREQUAL "ON")
    message(FATAL_ERROR "FACEMAE_ONNX is ON, but OpenCV's dnn was not found (opencv2/dnn.hpp, libopencv_dnn): "
      "scripts/setup.sh --onnx installs libopencv-dnn-dev; elsewhere set CMAKE_PREFIX_PATH.")
  endif()
endif()
message(STATUS "ONNX embedders (OpenCV dnn): ${FACEMAE_HAS_ONNX}")
