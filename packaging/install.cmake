# Runs at installation, when the prefix is known for good.
set(facemae_prefix ${CMAKE_INSTALL_PREFIX})
set(module ${CMAKE_INSTALL_PREFIX}/share/facemae/modulefiles/facemae/${facemae_version})
message(STATUS "Installing: ${module}")
configure_file(${facemae_source}/packaging/modulefile.in $ENV{DESTDIR}${module} @ONLY)
message(STATUS "Installing: ${CMAKE_INSTALL_PREFIX}/share/man/man1/facemae.1 and bash-completion/completions/facemae")
execute_process(COMMAND bash ${facemae_source}/scripts/manual.sh ${facemae_program} $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share
  RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(WARNING "The man page and the completion could not be made, because ${facemae_program} does not run here. All else is installed.")
endif()
