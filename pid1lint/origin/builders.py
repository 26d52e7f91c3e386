"""What the commands of a RUN build: which program, in which language, of which part of the source."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from pid1lint.dockerfile.stages import join
from pid1lint.frozen import NamedTuple
from pid1lint.image.changes import is_below
from pid1lint.image.run import Ran
from pid1lint.source import Place

Builder: TypeAlias = "Callable[[Ran, str], Product | None]"
_RUNNERS = frozenset(("npx", "bunx", "bundle", "mold", "xvfb-run", "catchsegv", "ccache", "scl_enable"))


class Product(NamedTuple):
    """A program that a command builds.

    `language` is that of its source, `runtime` the row of the facts that says how it takes signals without a handler
    (mostly the language itself). `root` is the directory that it is built in. `main` tells the main program apart: a
    package's directory (Go), a crate's or a project's name, a file; empty if the command does not say. `sources` are
    source files that the command names. `remote`: the source comes from elsewhere. `sure`: the command names what it
    makes; otherwise it is only known to make things.
    """

    tool: str
    language: str
    root: str
    place: Place
    main: str = ""
    sources: tuple[str, ...] = ()
    remote: bool = False
    sure: bool = True
    runtime: str = ""


class _Words(NamedTuple):
    """An argv in parts: options with their values, and the words that are neither."""

    options: Mapping[str, str]
    operands: tuple[str, ...]

    def value(self, *names: str) -> str:
        return next((self.options[name] for name in names if name in self.options), "")


class Maker(NamedTuple):
    """A command that builds something, and how to tell what it builds at a path."""

    ran: Ran
    builder: Builder

    def product(self, path: str) -> Product | None:
        """What it builds at a path, if it builds anything there."""
        return self.builder(self.ran, path)


def makers(commands: Iterable[Ran]) -> tuple[Maker, ...]:
    """Those of some commands that build something."""
    found = (_maker(ran) for ran in commands)
    return tuple(maker for maker in found if maker is not None)


def _maker(ran: Ran) -> Maker | None:
    argv = ran.argv
    while len(argv) > 1 and posixpath.basename(argv[0]) in _RUNNERS:
        argv = argv[1:]
        while argv and argv[0] in ("exec", "-run", "--no-install", "--yes", "-y"):
            argv = argv[1:]
    if not argv:
        return None
    name = posixpath.basename(argv[0]).removeprefix("xx-")
    builder = _BUILDERS.get(name)
    if builder is not None:
        return Maker(ran._replace(argv=(name, *argv[1:])), builder)
    # `./build.sh`, `./gradlew`, `./mvnw`.
    wrapper = posixpath.basename(argv[0])
    if wrapper in ("gradlew", "mvnw"):
        return Maker(ran._replace(argv=(wrapper, *argv[1:])), _java)
    if argv[0].startswith("./") or argv[0].endswith(".sh"):
        return Maker(ran._replace(argv=argv), _own_script)
    return None


def _words(argv: tuple[str, ...], valued: str) -> _Words:
    """Take an argv apart; `valued` are the options that take the next word."""
    takers = frozenset(valued.split())
    options: dict[str, str] = {}
    operands: list[str] = []
    at = 0
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--":
            operands += argv[at:]
            break
        if not word.startswith("-") or word == "-":
            operands.append(word)
        elif word in takers and at < len(argv):
            options[word] = argv[at]
            at += 1
        else:
            head, equals, tail = word.partition("=")
            options[head] = tail if equals else ""
    return _Words(options, tuple(operands))


def _is_at(path: str, output: str, *, names: tuple[str, ...] = ()) -> bool:
    """Whether a path is a command's output, or one of these names inside of it."""
    return path == output.rstrip("/") or any(path == posixpath.join(output, name) for name in names)


# ---------------------------------------------------------------------- Go

_GO_VALUED = (
    "-o -ldflags -tags -mod -gcflags -asmflags -p -C -buildmode -modfile -overlay -pkgdir -toolexec -compiler "
    "-installsuffix -gccgoflags -pgo -modcacherw"
)


def _go(ran: Ran, path: str) -> Product | None:
    if len(ran.argv) < 2 or ran.argv[1] not in ("build", "install"):
        return None
    words = _words(ran.argv[2:], _GO_VALUED)
    root = join(ran.cwd, words.value("-C")) if "-C" in words.options else ran.cwd
    packages = words.operands or (".",)
    name = posixpath.basename(path)
    if ran.argv[1] == "install":
        folder = ran.variables.get("GOBIN") or (ran.variables.get("GOPATH") or "/go") + "/bin"
        if posixpath.dirname(path) not in (folder, "/root/go/bin"):
            return None
        found = _go_package(packages, name, root)
        remote = "@" in (found or "")
        return Product("go install", "go", root, ran.place, found or "", remote=remote) if found else None
    output = words.value("-o")
    if output:
        target = join(root, output)
        if path == target and not output.endswith("/"):
            found = packages[0] if len(packages) == 1 or packages[0].endswith(".go") else ""
        elif posixpath.dirname(path) == target and not packages[0].endswith(".go"):
            found = _go_package(packages, name, root) or ""
        else:
            return None
    elif posixpath.dirname(path) == root:
        found = _go_package(packages, name, root) or (packages[0] if len(packages) == 1 else "")
    else:
        return None
    sources = packages if found.endswith(".go") else ()
    return Product("go build", "go", root, ran.place, found, sources, sure=bool(output))


def _go_package(packages: tuple[str, ...], name: str, root: str) -> str | None:
    """The package whose program has a name: the last part of its path, a `/v2` left aside."""
    for package in packages:
        plain = re.sub(r"/v\d+$", "", package.partition("@")[0])
        last = posixpath.basename(join(root, plain) if plain.startswith(".") else plain)
        if last == name:
            return package
        if plain.endswith("/..."):
            return posixpath.join(plain.removesuffix("..."), name) if plain != "./..." else f"*/{name}"
    return packages[0] if packages == (".",) else None


# -------------------------------------------------------------------- Rust

_CARGO_VALUED = (
    "--bin -p --package --target --target-dir --manifest-path --profile --features -F -j --jobs --path --root --git "
    "--version --branch --tag --rev --example --color --message-format -Z --config"
)


def _cargo(ran: Ran, path: str) -> Product | None:
    argv = tuple(word for word in ran.argv if not word.startswith("+"))
    at = next((i for i, word in enumerate(argv) if word in ("build", "install", "b", "zigbuild", "rustc")), 0)
    if not at or at > 3:
        return None
    words = _words(argv[at + 1 :], _CARGO_VALUED)
    root = ran.cwd
    if words.value("--manifest-path"):
        root = posixpath.dirname(join(root, words.value("--manifest-path")))
    name = posixpath.basename(path)
    if argv[at] == "install":
        folder = words.value("--root") or ran.variables.get("CARGO_HOME") or "/usr/local/cargo"
        if posixpath.dirname(path) not in (join(ran.cwd, folder) + "/bin", "/root/.cargo/bin"):
            return None
        if "--path" in words.options:
            return Product("cargo install", "rust", join(root, words.value("--path")), ran.place, name)
        crate = "--git" in words.options or name in words.operands or len(words.operands) == 1
        return Product("cargo install", "rust", root, ran.place, name, remote=True) if crate else None
    target = words.value("--target-dir") or ran.variables.get("CARGO_TARGET_DIR") or "target"
    below = path[len(join(ran.cwd, target)) :] if is_below(path, join(ran.cwd, target)) else ""
    if not below:
        # A workspace has one target directory, at its root.
        found = re.search(r"/target/(?:[\w.-]+/)?[\w-]+/[^/]+$", path)
        below = path[found.start() + 7 :] if found and is_below(ran.cwd, path[: found.start()]) else ""
    if not re.fullmatch(r"/(?:[^/]+/)?(?:release|debug|[\w-]+)/[^/]+", below):
        return None
    if words.value("--bin") not in ("", name):
        return None
    return Product("cargo build", "rust", root, ran.place, name)


# --------------------------------------------------------------- C and kin

_C_SOURCE = re.compile(r".+\.(?:c|cc|cpp|cxx|C|m|S)$")


def _compiler(language: str, source: re.Pattern[str], valued: str, default: str) -> Builder:
    """A compiler that is given its sources and `-o`."""

    def build(ran: Ran, path: str) -> Product | None:
        words = _words(ran.argv[1:], valued)
        sources = tuple(join(ran.cwd, word) for word in words.operands if source.fullmatch(word))
        joined = next((key[2:] for key in words.options if key.startswith("-o") and len(key) > 2 and key[2] != "u"), "")
        output = words.value("-o", "--output", "--out", "-out") or joined
        if "-c" in words.options and language == "c":
            return None
        if not output and not default and sources:
            output = posixpath.splitext(posixpath.basename(sources[-1]))[0]
        if path != join(ran.cwd, output or default):
            return None
        return Product(ran.argv[0], language, ran.cwd, ran.place, "", sources)

    return build


def _make(ran: Ran, path: str) -> Product | None:
    """`make`, `cmake`, `meson`, `ninja`: what they make is not told by the command."""
    words = _words(ran.argv[1:], "-C -f -j -B -S -G --build --install -t --target --prefix -D")
    given = words.value("-C") if ran.argv[0] != "cmake" else ""
    root = join(ran.cwd, given) if given else ran.cwd
    return Product(ran.argv[0], "", root, ran.place, posixpath.basename(path), sure=False)


def _own_script(ran: Ran, path: str) -> Product | None:
    return Product(ran.argv[0], "", ran.cwd, ran.place, posixpath.basename(path), sure=False)


# ------------------------------------------------------------ .NET and JVM


def _dotnet(ran: Ran, path: str) -> Product | None:
    if ran.argv[1:2] not in (("publish",), ("build",)):
        return None
    words = _words(ran.argv[2:], "-o --output -c --configuration -r --runtime -f --framework -p -v --os -a --arch")
    project = join(ran.cwd, words.operands[0]) if words.operands else ran.cwd
    root = posixpath.dirname(project) if re.search(r"\.(?:cs|fs|vb)proj$|\.sln$", project) else project
    output = words.value("-o", "--output")
    folder = join(ran.cwd, output) if output else posixpath.join(root, "bin")
    if not is_below(path, folder):
        return None
    name = re.sub(r"\.(?:dll|exe)$", "", posixpath.basename(path))
    return Product("dotnet " + ran.argv[1], "dotnet", root, ran.place, name, sure=bool(output))


def _java(ran: Ran, path: str) -> Product | None:
    tool = ran.argv[0].removesuffix("w").replace("mvnw", "mvn")
    words = _words(ran.argv[1:], "-f --file -p --project-dir -P -pl --projects -s -b")
    given = words.value("-f", "--file", "-p", "--project-dir")
    root = join(ran.cwd, given) if given else ran.cwd
    root = posixpath.dirname(root) if root.endswith((".xml", ".gradle", ".kts")) else root
    if not is_below(path, root):
        return None
    if path.endswith((".jar", ".war", ".class")):
        return Product(tool, "java", root, ran.place, sure="/target/" in path or "/build/" in path)
    native = any("native" in word for word in ran.argv[1:]) and ("/target/" in path or "/build/" in path)
    if native:
        return Product(tool, "java", root, ran.place, runtime="native-image")
    if re.search(r"/(?:bin|stage|pack)/(?:bin/)?[^/.]+$", path) and ("/target/" in path or "/build/" in path):
        return Product(tool, "java", root, ran.place, sure=False)
    return None


def _javac(ran: Ran, path: str) -> Product | None:
    sources = tuple(join(ran.cwd, word) for word in ran.argv[1:] if word.endswith((".java", ".kt", ".scala")))
    if not path.endswith((".class", ".jar")) or not sources:
        return None
    return Product(ran.argv[0], "java", ran.cwd, ran.place, sources=sources)


def _native_image(ran: Ran, path: str) -> Product | None:
    words = _words(ran.argv[1:], "-cp --class-path -classpath -jar -o")
    plain = words.operands
    output = words.value("-o") or next((word[8:] for word in ran.argv if word.startswith("-H:Name=")), "")
    output = output or (plain[-1] if plain else posixpath.basename(words.value("-jar")).removesuffix(".jar"))
    if posixpath.basename(path) != posixpath.basename(output):
        return None
    return Product("native-image", "java", ran.cwd, ran.place, runtime="native-image")


# ---------------------------------------------------------- JavaScript & Co

_SCRIPT = re.compile(r".+\.[cm]?js$")


def _npm(ran: Ran, path: str) -> Product | None:
    words = [word for word in ran.argv[1:] if not word.startswith("-")]
    if words[:1] and words[0] in ("install", "ci", "i", "add", "config", "cache", "audit", "prune", "fund", "rebuild"):
        return None
    if not words or not is_below(path, ran.cwd) or not _SCRIPT.fullmatch(path):
        return None
    tool = " ".join((ran.argv[0], *words[:2]))
    return Product(tool, "node", ran.cwd, ran.place, path, sure=False, runtime=_framework(path))


def _framework(path: str) -> str:
    """Whose server it is, where a framework brings its own."""
    if "/.next/standalone/" in path and path.endswith("/server.js"):
        return "next"
    return "nitro" if path.endswith("/.output/server/index.mjs") else ""


def _bundler(ran: Ran, path: str) -> Product | None:
    """tsc, esbuild, ncc, next and their like."""
    if not is_below(path, ran.cwd) or not _SCRIPT.fullmatch(path) or ran.argv[1:2] in (("install",), ("lint",)):
        return None
    words = _words(ran.argv[1:], "-o --out -d --outDir -p --project")
    sources = tuple(join(ran.cwd, word) for word in words.operands if re.search(r"\.[cm]?[jt]sx?$", word))
    output = words.value("--outfile")
    if output and join(ran.cwd, output) != path:
        return None
    runtime = _framework(path)
    return Product(ran.argv[0], "node", ran.cwd, ran.place, path, sources, sure=bool(output), runtime=runtime)


def _bun(ran: Ran, path: str) -> Product | None:
    if ran.argv[1:2] != ("build",):
        return _npm(ran, path) if ran.argv[1:2] in (("run",), ("x",)) else None
    words = _words(ran.argv[2:], "--outfile --outdir --target --entry-naming")
    sources = tuple(join(ran.cwd, word) for word in words.operands)
    if "--compile" in words.options:
        output = words.value("--outfile") or posixpath.splitext(posixpath.basename((*sources, "")[0]))[0]
        if path != join(ran.cwd, output):
            return None
        return Product("bun build --compile", "node", ran.cwd, ran.place, "", sources, runtime="bun")
    return _bundler(ran._replace(argv=("bun build", *ran.argv[2:])), path)


def _deno(ran: Ran, path: str) -> Product | None:
    if ran.argv[1:2] != ("compile",):
        return None
    words = _words(ran.argv[2:], "-o --output --target -c --config --import-map --include --icon")
    script = next((word for word in words.operands if re.search(r"\.[cm]?[jt]sx?$", word)), "")
    output = words.value("-o", "--output") or posixpath.splitext(posixpath.basename(script))[0]
    if path != join(ran.cwd, output):
        return None
    return Product("deno compile", "node", ran.cwd, ran.place, "", (join(ran.cwd, script),), runtime="deno")


def _pkg(ran: Ran, path: str) -> Product | None:
    words = _words(ran.argv[1:], "-t --targets -o --output --out-path -c --config -i -r")
    output = words.value("-o", "--output")
    if not output or path != join(ran.cwd, output):
        return None
    sources = tuple(join(ran.cwd, word) for word in words.operands if _SCRIPT.fullmatch(word))
    return Product(ran.argv[0], "node", ran.cwd, ran.place, "", sources)


# ------------------------------------------------------------------ Python


def _pyinstaller(ran: Ran, path: str) -> Product | None:
    words = _words(ran.argv[1:], "-n --name --distpath --workpath --specpath --add-data -p --paths --hidden-import -i")
    sources = tuple(join(ran.cwd, word) for word in words.operands if word.endswith((".py", ".spec")))
    folder = join(ran.cwd, words.value("--distpath") or "dist")
    stem = posixpath.splitext(posixpath.basename((*sources, "")[0]))[0]
    name = words.value("-n", "--name") or stem
    named = (name, f"{name}/{name}")
    from_spec = bool(sources) and sources[0].endswith(".spec") and is_below(path, folder)
    if not _is_at(path, folder, names=named) and not from_spec:
        return None
    sources = tuple(source for source in sources if source.endswith(".py"))
    whole = "--onefile" in words.options or "-F" in words.options
    return Product("pyinstaller", "python", ran.cwd, ran.place, "", sources, runtime="pyinstaller" if whole else "")


def _nuitka(ran: Ran, path: str) -> Product | None:
    sources = tuple(join(ran.cwd, word) for word in ran.argv[1:] if word.endswith(".py"))
    stem = posixpath.splitext(posixpath.basename((*sources, "")[0]))[0]
    if not stem or posixpath.basename(path).partition(".")[0] != stem:
        return None
    return Product("nuitka", "python", ran.cwd, ran.place, "", sources)


def _python(ran: Ran, path: str) -> Product | None:
    module = ran.argv[2] if ran.argv[1:2] == ("-m",) and len(ran.argv) > 2 else ""
    inner = {"PyInstaller": _pyinstaller, "nuitka": _nuitka, "pip": _pip}.get(module)
    return None if inner is None else inner(ran._replace(argv=(module, *ran.argv[3:])), path)


def _pip(ran: Ran, path: str) -> Product | None:
    """`pip install .` makes the programs that pyproject.toml names."""
    words = _words(
        ran.argv[1:], "-r --requirement -c --constraint -i --index-url --extra-index-url -t --target --prefix"
    )
    if words.operands[:1] == ("pip",):
        words = words._replace(operands=words.operands[1:])
    if words.operands[:1] not in (("install",), ("sync",)) or posixpath.basename(posixpath.dirname(path)) != "bin":
        return None
    given = [
        word for word in words.operands[1:] if re.fullmatch(r"\.{1,2}(?:/[^\[\]]*)?(?:\[[^\]]*\])?|/[^\[\]]+", word)
    ]
    editable = words.value("-e", "--editable")
    folders = [word.partition("[")[0] for word in given] + ([editable] if editable else [])
    if ran.argv[0] in ("poetry", "pdm", "uv") and not folders and words.operands[:1] in (("install",), ("sync",)):
        folders = ["."]
    if not folders or not all(not folder.endswith((".whl", ".txt")) for folder in folders):
        return None
    root = join(ran.cwd, folders[0] or ".")
    return Product("pip install", "python", root, ran.place, "script:" + posixpath.basename(path), sure=False)


# ------------------------------------------------------------------- others


def _below(pattern: str, language: str, *subcommands: str, runtime: str = "") -> Builder:
    """A tool that puts what it makes to one place below the directory that it is run in."""
    compiled = re.compile(pattern)

    def build(ran: Ran, path: str) -> Product | None:
        words = [word for word in ran.argv[1:] if not word.startswith("-")]
        if subcommands and not any(word in subcommands for word in words):
            return None
        if not is_below(path, ran.cwd) or not compiled.search(path[len(ran.cwd.rstrip("/")) :]):
            return None
        name = posixpath.basename(path)
        return Product(ran.argv[0], language, ran.cwd, ran.place, name, runtime=runtime)

    return build


def _haskell(ran: Ran, path: str) -> Product | None:
    words = _words(ran.argv[1:], "--local-bin-path --installdir --bindir --stack-yaml -j --resolver --install-method")
    folder = words.value("--local-bin-path", "--installdir", "--bindir")
    places = [join(ran.cwd, folder)] if folder else ["/root/.local/bin", "/root/.cabal/bin"]
    built = re.search(r"/(?:\.stack-work|dist-newstyle|dist)/.*/[^/]+$", path) and is_below(path, ran.cwd)
    if posixpath.dirname(path) not in places and not built:
        return None
    if not any(word in ("install", "build", "v2-install", "v2-build", "new-install") for word in words.operands):
        return None
    return Product(ran.argv[0], "haskell", ran.cwd, ran.place, posixpath.basename(path))


def _several(*builders: Builder) -> Builder:
    def build(ran: Ran, path: str) -> Product | None:
        return next((found for each in builders if (found := each(ran, path)) is not None), None)

    return build


def _named(
    names: str, builder: Callable[[Ran, str], Product | None]
) -> Iterator[tuple[str, Callable[[Ran, str], Product | None]]]:
    return ((name, builder) for name in names.split())


_C = _compiler("c", _C_SOURCE, "-o -I -L -l -D -x -isystem -include -MF -MT", "a.out")
_CRYSTAL = _compiler("crystal", re.compile(r".+\.cr$"), "-o --output -p -t --target --threads -D", "")
_ZIG = _compiler("zig", re.compile(r".+\.zig$"), "-target -mcpu -O", "")
_BUILDERS: dict[str, Builder] = {
    "go": _go,
    "tinygo": _go,
    **dict(_named("cargo cross", _cargo)),
    "rustc": _compiler("rust", re.compile(r".+\.rs$"), "-o -C --edition --target -L -l --cfg", ""),
    **dict(_named("gcc cc clang g++ c++ clang++ musl-gcc tcc c99", _C)),
    **dict(_named("make gmake cmake ninja meson just task bazel scons xmake waf premake", _make)),
    "dotnet": _dotnet,
    **dict(_named("mvn gradle sbt lein ant mill bazelisk", _java)),
    **dict(_named("javac kotlinc scalac", _javac)),
    "native-image": _native_image,
    **dict(_named("npm pnpm yarn", _npm)),
    **dict(_named("tsc esbuild ncc next nest nuxt nuxi vite rollup webpack swc babel turbo nx tsup tsdown", _bundler)),
    "bun": _bun,
    "deno": _deno,
    **dict(_named("pkg nexe", _pkg)),
    "pyinstaller": _pyinstaller,
    **dict(_named("nuitka nuitka3", _nuitka)),
    **dict(_named("python python3", _python)),
    **dict(_named("pip pip3 uv poetry pdm", _pip)),
    "mix": _below(r"/_build/[^/]+/rel/[^/]+/bin/[^/]+$", "elixir", "release"),
    "rebar3": _below(r"/_build/[^/]+/rel/[^/]+/bin/[^/]+$", "erlang", "release", "tar"),
    "swift": _below(r"/\.build/(?:[^/]+/)?(?:release|debug)/[^/]+$", "swift", "build"),
    "zig": _several(_below(r"/zig-out/bin/[^/]+$", "zig", "build"), _ZIG),
    "crystal": _CRYSTAL,
    "shards": _below(r"/bin/[^/]+$", "crystal", "build"),
    **dict(_named("stack cabal", _haskell)),
    "ghc": _compiler("haskell", re.compile(r".+\.l?hs$"), "-o -outputdir -package -threaded -i", ""),
    "dune": _below(r"/_build/(?:default|install)/.+$", "ocaml", "build", "install"),
    **dict(_named("ocamlfind ocamlopt ocamlc", _compiler("ocaml", re.compile(r".+\.ml$"), "-o -package -I", "a.out"))),
    "nim": _compiler("nim", re.compile(r".+\.nim$"), "-o --out -d --define -p", ""),
    "dub": _below(r"/[^/]+$", "d", "build"),
    **dict(_named("dmd ldc2 gdc", _compiler("d", re.compile(r".+\.d$"), "-o -of -I -L", "a.out"))),
    "fpc": _compiler("pascal", re.compile(r".+\.pas$"), "-o -Fu", ""),
    **dict(_named("gfortran", _compiler("fortran", re.compile(r".+\.f\d*$"), "-o -I", "a.out"))),
}
