# Open MPI and PMIx were built for other folders: these are where they lie now. Sourced where $here is the folder above.
# shellcheck shell=sh disable=SC2154
export OPAL_PREFIX="$here/mpi" OPAL_BINDIR="$here/mpi/bin" OPAL_LIBDIR="$here/lib" OPAL_PKGLIBDIR="$here/mpi/plugins"
export OPAL_PKGDATADIR="$here/mpi/share" OPAL_SYSCONFDIR="$here/mpi/etc"
export PMIX_INSTALL_PREFIX="$here/pmix" PMIX_LIBDIR="$here/lib" PMIX_PKGLIBDIR="$here/pmix/plugins" PMIX_PKGDATADIR="$here/pmix/share"
