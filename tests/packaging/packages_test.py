"""The Spack package, the easyconfigs and the conda environments have what CMake wants: packaging/dependencies.txt says
how each of them calls it. Then each is shown to be noticed with a dependency taken away.

usage: packages_test.py SOURCE (the tree)"""
import collections
import contextlib
import re
import sys
import types
from pathlib import Path

SOURCE = Path(sys.argv[1])
PACKAGING = SOURCE / "packaging"
Row = collections.namedtuple("Row", "cmake seen debian easybuild spack conda small least")
GPU = ("Nccl.cmake",)


def rows(text):
    return [Row(*line.split()) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def version(text):
    return tuple(int(part) for part in re.findall(r"\d+", text))


# --- what each file names: {name: lowest version that it takes, "" for any} ----------------------------------------------
def cmake_names(text):
    """Of cmake/Dependencies.cmake and what it includes: found packages, and prefixes of pkg-config."""
    text = re.sub(r"#.*", "", text)
    found = dict(re.findall(r"find_package\((\w+)(?: ([\d.]+))?", text))
    for prefix in re.findall(r"pkg_check_modules\((\w+) REQUIRED", text):
        found[prefix] = ""
    found.pop("Threads")  # the C library's
    return found


def easyconfig_names(text):
    """By executing it with stand-ins for EasyBuild's constants, as EasyBuild does."""
    constants = {name: name for name in ("SOURCE_TAR_GZ", "SYSTEM", "SHLIB_EXT")}
    exec(compile(text, "easyconfig", "exec"), constants)
    for wanted in ("easyblock", "name", "version", "homepage", "description", "toolchain", "sources", "moduleclass"):
        assert wanted in constants, f"an easyconfig without {wanted}"
    if constants["name"] == "facemae":
        assert version(constants["version"]) == version(re.search(r"project\(facemae VERSION ([\d.]+)", (SOURCE / "CMakeLists.txt").read_text())[1])
    cuda = "CUDA" in {dependency[0] for dependency in constants["dependencies"]}
    assert ("FACEMAE_CUDA=ON" in constants["configopts"]) == cuda, "FACEMAE_CUDA and CUDA among the dependencies differ"
    names = {dependency[0]: dependency[1] for dependency in constants["builddependencies"] + constants["dependencies"]}
    return {**names, constants["toolchain"]["name"]: ""}


def spack_names(text, gpu):
    """By executing it with a stand-in of Spack's package API, which knows the directives that are used and no others."""
    names, conditions = {}, []

    def depends_on(spec, type=("build", "link"), when=""):
        assert set([type] if isinstance(type, str) else type) <= {"build", "link", "run", "test"}, type
        if gpu or not any("+cuda" in condition or "cuda_arch" in condition for condition in [*conditions, when]):
            name, least = re.fullmatch(r"([a-z0-9-]+)(?:@([\d.]+):)?(?: .*)?", spec).groups()
            names[name] = least or names.get(name, "")

    @contextlib.contextmanager
    def when(condition):
        conditions.append(condition)
        yield
        conditions.pop()

    class CMakePackage:
        def define(self, name, value):
            text = value if isinstance(value, str) else "ON" if value else "OFF"
            return f"-D{name}:{'BOOL' if isinstance(value, bool) else 'STRING'}={text}"

    class CudaPackage:
        cuda_arch_values = ("70", "80", "90")

    def module(name, **content):
        made = types.ModuleType(name)
        made.__dict__.update(content)
        return made

    nothing = lambda *args, **kwargs: None
    directives = dict(depends_on=depends_on, when=when, version=nothing, variant=nothing, license=nothing, conflicts=nothing)
    builtin = "spack_repo.builtin.build_systems"
    stand_ins = {name: module(name) for name in ("spack_repo", "spack_repo.builtin", builtin, "spack")}
    stand_ins[builtin + ".cmake"] = module(builtin + ".cmake", CMakePackage=CMakePackage, generator=nothing)
    stand_ins[builtin + ".cuda"] = module(builtin + ".cuda", CudaPackage=CudaPackage)
    stand_ins["spack.package"] = module("spack.package", **directives)
    sys.modules.update(stand_ins)
    space = {}
    exec(compile(text, "package.py", "exec"), space)

    class Spec:
        package = types.SimpleNamespace(cmake_prefix_paths=["/torch/share/cmake"])

        def __getitem__(self, name):
            assert name in names, f"package.py asks for {name}, on which it does not depend"
            return self

        def satisfies(self, condition):
            assert condition == "+cuda"
            return gpu

    package = space["Facemae"]()
    package.spec = Spec()
    arguments = package.cmake_args()
    assert "-DTORCH_DIR:STRING=/torch" in arguments and f"-DFACEMAE_CUDA:STRING={'ON' if gpu else 'OFF'}" in arguments, arguments
    options = set(re.findall(r"(?:option|set)\((FACEMAE_\w+)", "".join(p.read_text() for p in [SOURCE / "CMakeLists.txt", *SOURCE.glob("cmake/*.cmake")])))
    for argument in arguments:
        name = re.match(r"-D(\w+)", argument)[1]
        assert not name.startswith("FACEMAE_") or name in options, f"CMake has no {name}"
    return names


def conda_names(text):
    """An environment by its form: name, channels, dependencies, each one of the match specifications that conda knows."""
    lists, current = {}, None
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, item = re.fullmatch(r"(\w+):(?: [a-z-]+)?", line), re.fullmatch(r"  - (.+)", line)
        assert key or item and current, f"an environment has no line such as: {line}"
        if key:
            current = key[1]
            lists[current] = []
        else:
            lists[current].append(item[1])
    assert list(lists) == ["name", "channels", "dependencies"] and lists["channels"] == ["conda-forge", "nodefaults"], lists
    names = {}
    for item in lists["dependencies"]:
        form = re.fullmatch(r"([a-z0-9_-]+)(?: (?:>=)?([\d.]+)(?:\.\*)?(?:=[a-z0-9_]+\*)?)?", item)
        assert form, f"no match specification: {item}"
        assert form[1] not in names, f"{item} is there twice"
        names[form[1]] = form[2] or ""
    return names


def faults(table, way, names, gpu, extra=()):
    """What is missing, too old or unknown in a file of `way` (a column of the table)."""
    found, wanted = [], {}
    for row in table:
        if getattr(row, way) != "-" and (gpu or row.cmake not in GPU):
            wanted[getattr(row, way)] = max(wanted.get(getattr(row, way), "-"), row.least)
    for name, least in wanted.items():
        if name not in names:
            found.append(f"{name} is missing")
        elif least != "-" and version(names[name]) < version(least):
            found.append(f"{name} may be older than {least}")
    return found + [f"{name} is not in packaging/dependencies.txt" for name in names if name not in wanted and name not in extra]


# file, column, how it is read, whether it is for GPUs, what else it may name
CMAKE = "".join((SOURCE / "cmake" / name).read_text() for name in ("Dependencies.cmake", "Hdf5.cmake", "Mpi.cmake"))
easybuild, spack, conda = PACKAGING / "easybuild", PACKAGING / "spack/facemae/package.py", PACKAGING / "conda"
FILES = [
    (easybuild / "facemae-0.1.0-foss-2024a.eb", "easybuild", easyconfig_names, False, ()),
    (easybuild / "facemae-0.1.0-foss-2024a-CUDA-12.6.0.eb", "easybuild", easyconfig_names, True, ()),
    (spack, "spack", lambda text: spack_names(text, gpu=True), True, ("c",)),
    (conda / "environment.yml", "conda", conda_names, False, ()),
    (conda / "environment-cuda.yml", "conda", conda_names, True, ("cuda-version", "cuda-crt", "cuda-cccl")),
]


def check():
    table = rows((PACKAGING / "dependencies.txt").read_text())
    wrong = []
    listed = {row.cmake for row in table if row.cmake not in ("-", "Torch.cmake", "Nccl.cmake")}
    for name in listed ^ set(cmake_names(CMAKE)):
        wrong.append(f"{name} is in only one of cmake/Dependencies.cmake and packaging/dependencies.txt")
    least = {"Torch.cmake": re.search(r"VERSION_LESS ([\d.]+)\)", (SOURCE / "cmake/TorchAbi.cmake").read_text())[1],
             "HDF5": re.search(r"VERSION_LESS ([\d.]+)\)", CMAKE)[1],
             "cmake": re.search(r"cmake_minimum_required\(VERSION ([\d.]+)", (SOURCE / "CMakeLists.txt").read_text())[1]}
    least.update((name, found) for name, found in cmake_names(CMAKE).items() if found)
    for row in table:
        said = least.get(row.cmake, least.get(row.debian, "-"))
        if row.least != said:
            wrong.append(f"{row.cmake} {row.debian}: at least {row.least} in packaging/dependencies.txt, {said} in CMake's files")
    small = {line.split()[0] for line in (SOURCE / "scripts/small_libraries.txt").read_text().splitlines() if line and line[0] != "#"}
    if small - {"nasm"} != {row.spack for row in table if row.small == "yes"}:
        wrong.append("scripts/small_libraries.txt and the column `small` differ")
    for path, way, read, gpu, extra in FILES:
        wrong += [f"{path.name}: {fault}" for fault in faults(table, way, read(path.read_text()), gpu, extra)]
    wrong += [f"package.py without GPUs: {fault}" for fault in faults(table, "spack", spack_names(spack.read_text(), False), False, ("c",))]
    return wrong, table


def check_that_losses_are_noticed(table):
    """Each file without one of its dependencies, one after the other, has exactly that fault."""
    wrong, tried = [], 0
    line_of = {"easybuild": r"(?m)^    \('{}', .*\n", "spack": r'(?m)^ +depends_on\(f?"{}[@ "].*\n', "conda": r"(?m)^  - {}( .*)?\n"}
    for path, way, read, gpu, extra in FILES:
        text = path.read_text()
        for name in {getattr(row, way) for row in table if gpu or row.cmake not in GPU} - {"-", "foss"}:
            less, count = re.subn(line_of[way].format(re.escape(name)), "", text)
            tried += 1
            if name in ("py-torch", "CUDA"):  # without them the file contradicts itself, which is noticed, too
                try:
                    said = faults(table, way, read(less), gpu, extra)
                except AssertionError as error:
                    said = [str(error)]
                if not said or not count:
                    wrong.append(f"{path.name}: nobody notices that {name} is taken away")
            elif not count or faults(table, way, read(less), gpu, extra) != [f"{name} is missing"]:
                wrong.append(f"{path.name}: nobody notices that {name} is taken away")
    for name in cmake_names(CMAKE):
        less = re.sub(rf"(find_package|pkg_check_modules)\({name}\b[^)]*\)", "", CMAKE)
        tried += 1
        if set(cmake_names(CMAKE)) - set(cmake_names(less)) != {name}:
            wrong.append(f"Dependencies.cmake: nobody notices that {name} is taken away")
    return wrong, tried


wrong, table = check()
lost, tried = check_that_losses_are_noticed(table) if not wrong else ([], 0)
print("\n".join(f"FAILED: {fault}" for fault in wrong + lost) or f"packages: five files agree with CMake; {tried} losses were noticed")
sys.exit(bool(wrong + lost))
