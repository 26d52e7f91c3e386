"""Which files of the build context a program is made of: by its language's own idea of a main program."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pid1lint.dockerfile.stages import join
from pid1lint.frozen import NamedTuple
from pid1lint.image.filesystem import FileSystem, ImageFile
from pid1lint.origin.builders import Product

SUFFIXES = {
    "c": (".c", ".cc", ".cpp", ".cxx", ".h", ".hpp", ".hh"),
    "crystal": (".cr",),
    "d": (".d",),
    "dotnet": (".cs", ".fs", ".vb"),
    "elixir": (".ex", ".exs"),
    "erlang": (".erl", ".hrl"),
    "fortran": (".f", ".f90"),
    "go": (".go",),
    "haskell": (".hs", ".lhs"),
    "java": (".java", ".kt", ".kts", ".scala", ".groovy"),
    "nim": (".nim",),
    "node": (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx"),
    "ocaml": (".ml",),
    "pascal": (".pas",),
    "perl": (".pl", ".pm"),
    "php": (".php",),
    "python": (".py",),
    "ruby": (".rb", ".ru"),
    "rust": (".rs",),
    "swift": (".swift",),
    "zig": (".zig",),
}
"""The file names that a language's source has."""

MANIFESTS = {
    "c": ("CMakeLists.txt", "meson.build"),
    "crystal": ("shard.yml",),
    "d": ("dub.json", "dub.sdl"),
    "dotnet": (),
    "elixir": ("mix.exs",),
    "erlang": ("rebar.config",),
    "go": ("go.mod",),
    "haskell": ("package.yaml", "stack.yaml"),
    "java": ("pom.xml", "build.gradle", "build.gradle.kts", "build.sbt"),
    "node": ("package.json", "deno.json"),
    "php": ("composer.json",),
    "python": ("pyproject.toml", "requirements.txt", "setup.py", "setup.cfg", "Pipfile"),
    "ruby": ("Gemfile",),
    "rust": ("Cargo.toml",),
    "swift": ("Package.swift",),
    "zig": ("build.zig",),
}
"""The files in which a project of a language names its libraries."""

_MAIN = {
    "c": re.compile(r"\bmain\s*\([^;{]*\)\s*(?:noexcept\s*)?(?:->\s*int\s*)?\{|\bwmain\s*\("),
    "go": re.compile(r"(?m)^func\s+main\s*\(\s*\)"),
    "rust": re.compile(r"\bfn\s+main\s*\(|#\[launch\]"),
}
_MAIN_WORDS = ("main", "#[launch]")
"""One of them is in every match of `_MAIN`."""
_NOT_OURS = frozenset(
    "node_modules vendor venv .venv __pycache__ site-packages test tests __tests__ spec e2e examples example benches "
    "bench testdata fixtures .git docs target build dist obj .next _build deps".split()
)
_OF_THE_SYSTEM = frozenset("bin boot dev etc lib lib32 lib64 libx32 media mnt proc run sbin sys tmp usr var".split())
"""What lies in the root directory beside the source of a program that does: a distribution's own libraries."""
_TEST = re.compile(r"(?:_test\.go|[._](?:test|spec)\.[cm]?[jt]sx?|_test\.py|_spec\.rb|_test\.exs)$|^test_.*\.py$")
MOST_FILES = 400
"""How many files of a program are read."""
_MOST_TRIED = 20_000
"""In how many places that is looked for which a program's files take in."""
_MOST_DEPTH = 10


class Sources(NamedTuple):
    """The source of a program.

    `main` is the file that it begins in (None: it is not at hand), `reached` are the files that this one takes in,
    itself among them; `others` lie beside them and may belong to it. `missing` names what it takes in that is not at
    hand. `manifests` name its libraries. `cut_off`: there is more of it than is read.
    """

    main: ImageFile | None
    reached: tuple[ImageFile, ...] = ()
    others: tuple[ImageFile, ...] = ()
    manifests: tuple[ImageFile, ...] = ()
    missing: tuple[str, ...] = ()
    cut_off: bool = False


NONE = Sources(None)


def sources(files: FileSystem, product: Product, path: str) -> Sources:
    """The source of what a command has built at a path, as the stage that it ran in holds it."""
    if product.remote or product.language not in SUFFIXES:
        return NONE
    finder = _FINDERS.get(product.language, _project)
    return finder(_Room(files, product.language), product, path)


def language_of(files: FileSystem, root: str, name: str) -> str:
    """The language of a project whose build says nothing of it, by what lies at its root; empty if that is not told."""
    names = files.entries(root)
    for language in ("rust", "go", "node", "java", "elixir", "swift", "crystal", "haskell", "zig"):
        if any(manifest in names for manifest in MANIFESTS[language]):
            return language
    room = _Room(files, "c")
    return "c" if any(_begins(file, "c") for file in room.walk(root)) else ""


def _begins(file: ImageFile, language: str) -> bool:
    """Whether a program may begin in a file; of some languages any file will do."""
    text, pattern = _text(file), _MAIN.get(language)
    return pattern is None or (any(word in text for word in _MAIN_WORDS) and pattern.search(text) is not None)


class _Room:
    """The files of one language in one stage."""

    def __init__(self, files: FileSystem, language: str) -> None:
        self.files = files
        self.language = language
        self.suffixes = SUFFIXES[language]

    def file(self, path: str) -> ImageFile | None:
        """The file at a path, if its text is at hand."""
        found = self.files.lookup(path)
        return found if found is not None and found.text is not None else None

    def walk(self, root: str) -> list[ImageFile]:
        """The files of the language below a directory, tests and what others wrote left aside."""
        found: list[ImageFile] = []
        waiting = [(root, 0)]
        for folder, depth in waiting:
            for name in self.files.entries(folder):
                path = posixpath.join(folder, name)
                if name.endswith(self.suffixes):
                    file = None if _TEST.search(name) else self.file(path)
                    found += [] if file is None else [file]
                elif folder == "/" and name in _OF_THE_SYSTEM:
                    continue
                elif name not in _NOT_OURS and "." not in name[1:] and depth < _MOST_DEPTH:
                    waiting.append((path, depth + 1))
            if len(found) > MOST_FILES:
                break
        return found[:MOST_FILES]

    def own(self, folder: str) -> list[ImageFile]:
        """The files of the language in a directory itself."""
        names = [name for name in self.files.entries(folder) if name.endswith(self.suffixes) and not _TEST.search(name)]
        found = (self.file(posixpath.join(folder, name)) for name in names)
        return [file for file in found if file is not None]

    def manifests(self, *folders: str) -> tuple[ImageFile, ...]:
        """The files that name the libraries, in these directories."""
        paths = [posixpath.join(folder, name) for folder in folders for name in MANIFESTS.get(self.language, ())]
        return tuple(file for path in dict.fromkeys(paths) if (file := self.file(path)) is not None)

    def upward(self, folder: str, name: str) -> str:
        """The nearest directory from one upwards that holds a file; empty if none does."""
        while True:
            if self.files.lookup(posixpath.join(folder, name)) is not None:
                return folder
            if folder in ("/", ""):
                return ""
            folder = posixpath.dirname(folder)


def _text(file: ImageFile) -> str:
    return file.text.text if file.text is not None else ""


# ---------------------------------------------------------------------- Go


def _go(room: _Room, product: Product, path: str) -> Sources:
    module_root = room.upward(product.root, "go.mod")
    mod = room.file(posixpath.join(module_root, "go.mod")) if module_root else None
    named = re.search(r"(?m)^module\s+(\S+)", _text(mod)) if mod else None
    module = named[1] if named else ""
    if product.sources:
        first = [file for source in product.sources if (file := room.file(join(product.root, source))) is not None]
        if len(first) < len(product.sources):
            return NONE
    else:
        first = room.own(_go_folder(room, product, module, module_root))
    main = next((file for file in first if _begins(file, "go")), None)
    if main is None:
        return NONE
    reached = {file.path: file for file in first}
    missing: list[str] = []
    waiting = list(first)
    for file in waiting:
        for name in _go_imports(_text(file)):
            if not module or not (name == module or name.startswith(module + "/")):
                continue
            taken = room.own(posixpath.join(module_root, name[len(module) :].lstrip("/")))
            missing += [] if taken else [name]
            for each in taken:
                if each.path not in reached and len(reached) < MOST_FILES:
                    reached[each.path] = each
                    waiting.append(each)
    manifests = (mod,) if mod is not None else ()
    return Sources(main, tuple(reached.values()), (), manifests, tuple(dict.fromkeys(missing)))


def _go_folder(room: _Room, product: Product, module: str, module_root: str) -> str:
    package = product.main.partition("@")[0] or "."
    if package.startswith("*/"):
        found = (f for f in room.walk(product.root) if posixpath.basename(posixpath.dirname(f.path)) == package[2:])
        main = next((file for file in found if _begins(file, "go")), None)
        return posixpath.dirname(main.path) if main is not None else product.root
    if module and (package == module or package.startswith(module + "/")):
        return posixpath.join(module_root, package[len(module) :].lstrip("/"))
    return join(product.root, package)


def _go_imports(text: str) -> Iterator[str]:
    for block in re.findall(r"(?m)^import\s*\((.*?)^\)", text, re.DOTALL):
        yield from re.findall(r'"([^"]+)"', block)
    yield from re.findall(r'(?m)^import\s+(?:[\w.]+\s+)?"([^"]+)"', text)


# -------------------------------------------------------------------- Rust


def _rust(room: _Room, product: Product, path: str) -> Sources:
    if product.sources:
        return _project(room, product, path)
    root = room.upward(product.root, "Cargo.toml")
    crates = list(_crates(room, root)) if root else []
    for folder, manifest in crates:
        main = _rust_main(room, folder, manifest, product.main)
        if main is None:
            continue
        folders = _rust_folders(room, folder, manifest, root)
        reached: dict[str, ImageFile] = {}
        for each in folders:
            for file in room.walk(posixpath.join(each, "src")):
                own_bin = "/src/bin/" in file.path
                if (
                    not own_bin
                    or file.path == main.path
                    or posixpath.dirname(file.path) == posixpath.dirname(main.path)
                ):
                    reached[file.path] = file
        if "/src/bin/" in main.path and posixpath.basename(main.path) != "main.rs":
            # The other programs beside it are none of its business.
            reached = {p: f for p, f in reached.items() if "/src/bin/" not in p or p == main.path}
        if "/src/bin/" in main.path:
            reached.pop(posixpath.join(folder, "src/main.rs"), None)
        reached[main.path] = main
        return Sources(main, tuple(reached.values()), (), room.manifests(*folders))
    return NONE


def _toml(file: ImageFile | None) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(file)) if file is not None else {}
    except tomllib.TOMLDecodeError:
        return {}


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _crates(room: _Room, root: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The directories of a workspace's crates, each with its manifest."""
    manifest = _toml(room.file(posixpath.join(root, "Cargo.toml")))
    if "package" in manifest:
        yield root, manifest
    members = _table(manifest.get("workspace")).get("members")
    for member in members if isinstance(members, list) else ():
        text = str(member)
        folders = [posixpath.join(root, text)]
        if text.endswith("*"):
            parent = posixpath.join(root, posixpath.dirname(text)).rstrip("/")
            folders = [posixpath.join(parent, name) for name in room.files.entries(parent)]
        for folder in map(posixpath.normpath, folders):
            file = room.file(posixpath.join(folder, "Cargo.toml"))
            if file is not None:
                yield folder, _toml(file)


def _rust_main(room: _Room, folder: str, manifest: dict[str, Any], name: str) -> ImageFile | None:
    """The file in which a crate's program of a name begins."""
    programs = manifest.get("bin")
    for program in programs if isinstance(programs, list) else ():
        given = _table(program)
        if given.get("name") == name:
            path = given.get("path") or f"src/bin/{name}.rs"
            return room.file(posixpath.join(folder, str(path))) or room.file(posixpath.join(folder, "src/main.rs"))
    for path in (f"src/bin/{name}.rs", f"src/bin/{name}/main.rs"):
        found = room.file(posixpath.join(folder, path))
        if found is not None:
            return found
    if _table(manifest.get("package")).get("name") == name:
        return room.file(posixpath.join(folder, "src/main.rs"))
    return None


def _rust_folders(room: _Room, folder: str, manifest: dict[str, Any], root: str) -> list[str]:
    """A crate's directory and those of the crates of its workspace that it depends upon."""
    shared = _table(_table(_toml(room.file(posixpath.join(root, "Cargo.toml"))).get("workspace")).get("dependencies"))
    found = [folder]
    waiting = [(folder, manifest)]
    for here, given in waiting:
        for name, value in _table(given.get("dependencies")).items():
            table = _table(value)
            at, base = table.get("path"), here
            if table.get("workspace"):
                at, base = _table(shared.get(name)).get("path"), root
            if not isinstance(at, str):
                continue
            other = posixpath.normpath(posixpath.join(base, at))
            if other not in found:
                found.append(other)
                waiting.append((other, _toml(room.file(posixpath.join(other, "Cargo.toml")))))
    return found


# ---------------------------------------------------------- C, .NET and kin


def _project(room: _Room, product: Product, path: str) -> Sources:
    """All files of the language below the root, or those that the command names."""
    if product.sources:
        named = [room.file(source) for source in product.sources]
        found = [file for file in named if file is not None]
        if len(found) < len(named):
            return NONE
        main = next((file for file in found if _begins(file, room.language)), None)
        beside = [file for file in room.own(posixpath.dirname(found[0].path)) if file not in found]
        headers = [file for file in beside if file.path.endswith((".h", ".hpp", ".hh"))]
        return Sources(main, (*found, *headers), (), room.manifests(product.root))
    files = room.walk(product.root)
    mains = [file for file in files if _begins(file, room.language)]
    if not mains:
        return NONE
    manifests = room.manifests(product.root)
    if room.language not in _MAIN or len(mains) == 1:
        return Sources(mains[0], tuple(files), (), manifests)
    own = [file for file in mains if posixpath.splitext(posixpath.basename(file.path))[0] == product.main]
    if len(own) != 1:
        # Which of several programs it is cannot be told: what one of them does is not sure of it.
        return Sources(mains[0], (), tuple(files), manifests)
    strange = [file for file in mains if file is not own[0]]
    return Sources(own[0], tuple(file for file in files if file not in strange), (), manifests)


def _dotnet(room: _Room, product: Product, path: str) -> Sources:
    """The project that has the program's name; of several in one solution only that one."""
    projects: list[tuple[str, str]] = []
    waiting = [(product.root, 0)]
    for folder, depth in waiting:
        for name in room.files.entries(folder):
            if re.search(r"\.(?:cs|fs|vb)proj$", name):
                projects.append((folder, name))
            elif "." not in name and name not in _NOT_OURS and depth < 4:
                waiting.append((posixpath.join(folder, name), depth + 1))
    own = [each for each in projects if posixpath.splitext(each[1])[0] == product.main]
    chosen = own or (projects if len(projects) == 1 else [])
    if not chosen:
        return NONE
    folder, name = chosen[0]
    manifest = room.file(posixpath.join(folder, name))
    files = room.walk(folder)
    starts = re.compile(r"\bMain\s*\(|\bCreate(?:Slim|Empty|Default|Application)?Builder\s*\(|<EntryPoint>")
    main = next((file for file in files if starts.search(_text(file))), files[0] if files else None)
    return Sources(main, tuple(files), (), () if manifest is None else (manifest,))


# ------------------------------------------------ languages with modules


def _modules(
    imports: Callable[[_Room, ImageFile, str], Iterable[str]],
) -> Callable[[_Room, Product, str], Sources]:
    """A finder for a language whose files take in others; `imports` gives the paths that a file takes in."""

    def find(room: _Room, product: Product, path: str) -> Sources:
        main = _entry(room, product, path)
        everything = room.walk(product.root)
        manifests = room.manifests(product.root, *([posixpath.dirname(main.path)] if main else []))
        if main is None:
            return Sources(None, (), tuple(everything), manifests)
        reached = {main.path: main}
        waiting = [main]
        tried: set[str] = set()
        for file in waiting:
            for name in imports(room, file, product.root):
                tried.add(name)
                if len(tried) > _MOST_TRIED:
                    break
                found = room.file(name)
                if found is not None and found.path not in reached and len(reached) < MOST_FILES:
                    reached[found.path] = found
                    waiting.append(found)
        others = tuple(file for file in everything if file.path not in reached)
        return Sources(main, tuple(reached.values()), others, manifests, cut_off=len(tried) > _MOST_TRIED)

    return find


def _entry(room: _Room, product: Product, path: str) -> ImageFile | None:
    """The file that the program begins in."""
    if product.sources:
        return room.file(product.sources[0])
    if product.main.startswith("script:"):
        return _entry_point(room, product)
    if product.main and (found := room.file(product.main)) is not None:
        return found
    below = product.main[len(product.root) :].lstrip("/") if product.main.startswith(product.root) else ""
    stem = re.sub(r"\.[cm]?js$", "", below)
    if room.language != "node" or not stem:
        return None
    tail = stem.partition("/")[2] or stem
    for candidate in (f"src/{tail}", tail, stem, f"src/{posixpath.basename(stem)}", posixpath.basename(stem)):
        for suffix in (".ts", ".mts", ".tsx", ".js", ".mjs"):
            found = room.file(posixpath.join(product.root, candidate + suffix))
            if found is not None:
                return found
    return None


def _entry_point(room: _Room, product: Product) -> ImageFile | None:
    """The module of a console script that pyproject.toml or setup.py names."""
    name = product.main.removeprefix("script:")
    project = _toml(room.file(posixpath.join(product.root, "pyproject.toml")))
    tables = (_table(project.get("project")), _table(_table(project.get("tool")).get("poetry")))
    targets = [_table(table.get("scripts")).get(name) for table in tables]
    target = next((value for value in targets if isinstance(value, str)), "")
    if not target:
        for setup in ("setup.cfg", "setup.py"):
            text = _text_at(room, posixpath.join(product.root, setup))
            found = re.search(rf"(?m)['\"\s]{re.escape(name)}\s*=\s*([\w.]+):", text)
            target = found[1] if found else target
    module = target.partition(":")[0].strip().replace(".", "/")
    if not module:
        return None
    paths = [f"{base}{module}{end}" for base in ("", "src/") for end in (".py", "/__init__.py")]
    files = (room.file(posixpath.join(product.root, path)) for path in paths)
    return next((file for file in files if file is not None), None)


def _text_at(room: _Room, path: str) -> str:
    file = room.file(path)
    return _text(file) if file is not None else ""


_NODE_IMPORT = re.compile(
    r"(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*|\bfork\s*\(\s*|\bnew\s+Worker\s*\(\s*)['\"`](\.[^'\"`]*|[@~]/[^'\"`]+)['\"`]"
)


def _node_imports(room: _Room, file: ImageFile, root: str) -> Iterator[str]:
    folder = posixpath.dirname(file.path)
    for name in _NODE_IMPORT.findall(_text(file)):
        base = join(folder, name) if name[0] == "." else posixpath.join(root, "src", name[2:])
        stem = re.sub(r"\.[cm]?js$", "", base)
        for end in ("", ".ts", ".tsx", ".mts", ".js", ".mjs", ".cjs", "/index.ts", "/index.js", "/index.mjs"):
            yield base if not end else stem + end if not end.startswith("/") else base + end


_PYTHON_IMPORT = re.compile(
    r"(?m)^\s*(?:from\s+([.\w]+)\s+import\s+\(?([\w\s,.*]+)|import\s+([\w.]+(?:\s*,\s*[\w.]+)*))"
)


def _python_imports(room: _Room, file: ImageFile, root: str) -> Iterator[str]:
    folder = posixpath.dirname(file.path)
    for source, names, plain in _PYTHON_IMPORT.findall(_text(file)):
        modules = [each.strip() for each in plain.split(",")] if plain else [source]
        for module in modules:
            dots = len(module) - len(module.lstrip("."))
            bases = [folder, root, posixpath.join(root, "src"), posixpath.dirname(folder)]
            if dots:
                base = folder
                for _ in range(dots - 1):
                    base = posixpath.dirname(base)
                bases = [base]
            path = module.lstrip(".").replace(".", "/")
            inner = [name.split()[0] for name in names.split(",") if name.split() and name.split()[0] != "*"]
            for base in bases:
                whole = posixpath.join(base, path) if path else base
                for stem in (whole, *(posixpath.join(whole, name) for name in inner)):
                    yield stem + ".py"
                    yield posixpath.join(stem, "__init__.py")


def _ruby_imports(room: _Room, file: ImageFile, root: str) -> Iterator[str]:
    folder = posixpath.dirname(file.path)
    for how, name in re.findall(r"\b(require_relative|require|load|run)\s*\(?\s*['\"]([^'\"]+)['\"]", _text(file)):
        bases = [folder] if how == "require_relative" else [folder, root, posixpath.join(root, "lib")]
        for base in bases:
            yield join(base, name)
            yield join(base, name + ".rb")


def _php_imports(room: _Room, file: ImageFile, root: str) -> Iterator[str]:
    folder = posixpath.dirname(file.path)
    pattern = r"\b(?:include|require)(?:_once)?\s*\(?\s*(?:__DIR__\s*\.\s*|dirname\(__FILE__\)\s*\.\s*)?['\"]([^'\"]+)"
    for name in re.findall(pattern, _text(file)):
        yield join(folder, name.lstrip("/"))


def _perl_imports(room: _Room, file: ImageFile, root: str) -> Iterator[str]:
    folder = posixpath.dirname(file.path)
    for name in re.findall(r"(?m)^\s*(?:use|require)\s+([A-Z][\w:]+)", _text(file)):
        path = name.replace("::", "/") + ".pm"
        for base in (folder, posixpath.join(folder, "lib"), posixpath.join(root, "lib")):
            yield posixpath.join(base, path)


_FINDERS: dict[str, Callable[[_Room, Product, str], Sources]] = {
    "go": _go,
    "rust": _rust,
    "dotnet": _dotnet,
    "node": _modules(_node_imports),
    "python": _modules(_python_imports),
    "ruby": _modules(_ruby_imports),
    "php": _modules(_php_imports),
    "perl": _modules(_perl_imports),
}
