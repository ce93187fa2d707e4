# The Spack package: put the folder packaging/spack/facemae into packages/ of a repository of yours, then in a clone
#   spack dev-build facemae@main +cuda cuda_arch=90
import os

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.builtin.build_systems.cuda import CudaPackage

from spack.package import *


class Facemae(CMakePackage, CudaPackage):
    """Distributed training of FaceMAE on MPI clusters: a masked autoencoder learns faces and rebuilds those of people it
    has never seen, and a recognition network is trained on the rebuilt faces."""

    homepage = "https://arxiv.org/abs/2205.11090"
    license("Apache-2.0")

    version("main")

    generator("ninja")
    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    depends_on("hdf5@1.10.2:")
    depends_on("boost@1.70: +program_options")
    depends_on("protobuf")
    depends_on("libpng")
    depends_on("libjpeg-turbo")
    depends_on("libwebp")
    depends_on("libexif")
    depends_on("libarchive")
    depends_on("libzip")
    depends_on("xxhash")
    depends_on("spdlog")
    depends_on("nlohmann-json")
    depends_on("isa-l")
    depends_on("libsodium")

    # With a protobuf of its own: else it would want everybody's to be 3.13.
    depends_on("py-torch@2.7: +custom-protobuf ~cuda", when="~cuda")
    with when("+cuda"):
        depends_on("py-torch@2.7: +custom-protobuf +cuda +nccl")
        depends_on("cuda")
        depends_on("nccl")
        for arch in CudaPackage.cuda_arch_values:
            depends_on(f"py-torch cuda_arch={arch}", when=f"cuda_arch={arch}")
            depends_on(f"nccl cuda_arch={arch}", when=f"cuda_arch={arch}")

    conflicts("%gcc@:10", msg="C++20 needs GCC 11 or newer")

    def cmake_args(self):
        torch = self.spec["py-torch"].package.cmake_prefix_paths[0]  # .../torch/share/cmake
        return [
            self.define("FACEMAE_TESTS", False),
            self.define("FACEMAE_BENCH", False),
            self.define("FACEMAE_WERROR", False),
            self.define("FACEMAE_CUDA", "ON" if self.spec.satisfies("+cuda") else "OFF"),
            self.define("TORCH_DIR", os.path.dirname(os.path.dirname(torch))),
            self.define("CMAKE_CXX_FLAGS_RELEASE", "-O2"),
        ]
