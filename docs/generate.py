"""Makes the pages of the documentation that the code knows best, whenever MkDocs builds the site.

In a page of `docs/`, a line `<!-- generated: NAME -->` becomes what the function of that name in `BLOCKS` gives. The
pages of rules and of facts are made as a whole. Nothing of it is kept in a file.
"""

from __future__ import annotations

import ast
import html
import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import pid1lint
from pid1lint import cli, linter, registry, report, schema
from pid1lint.facts import data, launchers, programs, shells
from pid1lint.image.context import DiskContext
from pid1lint.report import Report, tree
from pid1lint.report.style import Style
from pid1lint.rulebook import GROUPS

ROOT = Path(__file__).parents[1]
SCHEMA = "pid1lint.schema.json"
_BLOCK = re.compile(r"^<!-- generated: ([\w-]+)(?: (\S+))? -->$", re.MULTILINE)
_EOL = "\n"
_LANGUAGES = {"checkstyle": "xml", "junit": "xml", "markdown": "markdown", "github": "text"}

Row = Mapping[str, Any]


# What MkDocs calls


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages that are made here where the navigation names their folder."""
    listed = {"rules/": [*_rule_pages()], "facts/": [*_fact_pages()]}
    config.nav = [_expanded(entry, listed) for entry in config.nav or ()]
    return config


def _expanded(entry: Mapping[str, str | list[object]], listed: Mapping[str, list[str]]) -> object:
    ((title, path),) = entry.items()
    # A section that is written out stays as it is.
    return {title: listed[path]} if not isinstance(path, list) and path in listed else entry


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made as a whole, and those that stand in the repository's root."""
    pages = _rule_pages() | _fact_pages() | _root_pages()
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    # Where SchemaStore's catalog, and with it every editor, looks for it.
    files.append(File.generated(config, SCHEMA, abs_src_path=str(ROOT / "pid1lint" / SCHEMA)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put what is generated into a page."""
    return filled(markdown)


def filled(markdown: str) -> str:
    """The page with its generated blocks."""
    return _BLOCK.sub(lambda match: BLOCKS[match[1]](*filter(None, [match[2]])), markdown)


def pages() -> dict[str, str]:
    """Every page by its path, as Markdown."""
    written = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
    return {path: filled(text) for path, text in (written | _rule_pages() | _fact_pages() | _root_pages()).items()}


# HTML and Markdown


def _inline(text: str) -> str:
    """Prose with `code` as HTML."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


def _code(value: object) -> str:
    return f"<code>{html.escape(str(value), quote=False)}</code>"


def _codes(words: Iterable[object]) -> str:
    return " ".join(map(_code, words))


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML: Markdown's own has no place for the `|` of a pattern."""
    head = "".join(f"<th>{title}</th>" for title in header)
    body = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"


def _fenced(language: str, text: str, title: str = "") -> str:
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    name = f' title="{title}"' if title else ""
    return f"{fence}{language}{name}\n{text.rstrip()}\n{fence}\n"


def _prose(docstring: str | None) -> str:
    """A docstring as Markdown, without the indentation of the code around it."""
    lines = (docstring or "").strip().split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([lines[0], *(line[margin:] for line in lines[1:])]) + "\n"


# The repository's own pages


def _root_pages() -> dict[str, str]:
    """README as the home page, and the pages that it leads to."""
    named = {
        "README.md": "index.md",
        "CONTRIBUTING.md": "contributing.md",
        "CHANGELOG.md": "changelog.md",
        "SECURITY.md": "security.md",
        "pid1lint/pid1.md": "pid1.md",
    }
    found = {}
    for name, path in named.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for other, target in named.items():
            text = text.replace(f"]({other})", f"]({target})")
        found[path] = text.replace("](docs/", "](")
    # The licence is a file of the repository, and no page.
    found["index.md"] = found["index.md"].replace("[LICENSE](LICENSE)", "LICENSE")
    return found | {"pid1.md": _pid1_page()}


def _pid1_page() -> str:
    """What PID 1 is, with its rules linked."""
    page = (ROOT / "pid1lint" / "pid1.md").read_text(encoding="utf-8")
    for rule in registry.all_rules():
        page = page.replace(f"{rule.name} ({rule.code})", f"[{rule.name}](rules/{rule.name}.md) ({rule.code})")
    return _with_titles(page.replace("](../docs/", "]("))


# Rules


def _rule_pages() -> dict[str, str]:
    return {"rules/index.md": _rules_index()} | {
        f"rules/{rule.name}.md": _rule_page(rule) for rule in registry.all_rules()
    }


def _rules_index() -> str:
    parts = ["# Rules\n\n`pid1lint explain CODE` prints a rule's page, `pid1lint rules` this list.\n"]
    for start, title in GROUPS.items():
        rules = (rule for rule in registry.all_rules() if rule.code.startswith(start))
        rows = (
            (
                f'<a href="{rule.name}/">{rule.code}</a><br>{rule.name}',
                _inline(rule.summary),
                rule.severity.value,
                "yes" if rule.fixable else "",
            )
            for rule in rules
        )
        parts += [f"## {start}xx: {title}\n", _table(("rule", "what happens", "severity", "fix"), rows)]
    return "\n".join(parts)


def _rule_page(rule: registry.AnyRule) -> str:
    summary, _, body = rule.page.partition("\n")
    traits = [f"severity `{rule.severity.value}`", "has a fix" if rule.fixable else "no fix"]
    if not rule.default:
        traits.append(f"off by default: `--select {rule.code}`")
    basics = "[What PID 1 is, and what a stop does](../pid1.md)"
    return f"# {rule.code} {rule.name}\n\n{summary}\n\n*{', '.join(traits)}. {basics}*\n{_with_titles(body)}"


def _with_titles(page: str) -> str:
    """The page with the files' names as titles of their blocks, and the outcome told apart from the findings."""
    page = re.sub(r"^```(\w+)(?: ([^\n]+))?\n(.*?)^```\n", _titled, page, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^Use instead:$", "**Use instead:**", page, flags=re.MULTILINE)


def _titled(match: re.Match[str]) -> str:
    language, info, text = match[1], match[2] or "", match[3]
    if language == "text":
        return _verdict_of(text)
    words = info.split()
    names = [word for word in words if "=" not in word] or (["Dockerfile"] if language == "dockerfile" else [])
    settings = [word for word in words if "=" in word]
    title = f"{names[0]} ({', '.join(settings)})" if names and settings else "".join(names)
    return _fenced(language, text, title)


def _verdict_of(text: str) -> str:
    findings = [line for line in text.splitlines() if not line.startswith("= ")]
    outcome = next((line[2:] for line in text.splitlines() if line.startswith("= ")), "")
    told = _fenced("{.text .wrap", "\n".join(findings), "pid1lint").replace("\n", "}\n", 1) if findings else ""
    name, _, remark = outcome.partition(": ")
    name, unmeasured, _ = name.partition(", not measured")
    about = f" ({'not measured: ' if unmeasured else ''}{remark})" if remark else ""
    return f"{told}\nOn the stop signal: **{name}**{about}\n" if name not in ("", "none") else told


# Configuration


def configuration_keys() -> str:
    """Every key of the configuration, from its schema."""
    loaded = schema.schema()
    parts = []
    for key, rule in loaded["properties"].items():
        parts += [f"### `{key}` {{ #{key} }}\n", f"{rule['description']}.\n", f"Takes {_takes(loaded, rule)}.\n"]
        below = _resolved(loaded, rule.get("additionalProperties", {}))
        if "properties" in below:
            rows = (
                (_code(name), _takes(loaded, inner), _inline(inner["description"]))
                for name, inner in below["properties"].items()
            )
            parts += ["Its keys:\n", _table(("key", "takes", "what it is"), rows)]
    return "\n".join(parts)


def _resolved(loaded: Row, rule: Row) -> Row:
    reference = rule.get("$ref")
    found: Row = rule if reference is None else {**loaded["definitions"][reference.rpartition("/")[2]], **rule}
    return found


def _takes(loaded: Row, rule: Row) -> str:
    rule = _resolved(loaded, rule)
    if "enum" in rule:
        return "one of " + ", ".join(map(_code, rule["enum"]))
    if "pattern" in rule:
        return "a signal, such as <code>TERM</code>"
    if rule["type"] == "array":
        return "a list of strings"
    if rule["type"] == "object" and "properties" not in rule:
        inner = _resolved(loaded, rule["additionalProperties"])
        return "a table of tables" if inner["type"] == "object" else f"a table; each value is {_takes(loaded, inner)}"
    return {"string": "a string", "boolean": "true or false", "object": "a table"}[rule["type"]]


# The command line


def command_line() -> str:
    """The help of every command, as click prints it on a terminal of 80 columns."""
    parent = click.Context(cli.group, info_name="pid1lint", terminal_width=80, **cli.group.context_settings)
    parts = [_fenced("text", cli.group.get_help(parent), "pid1lint --help")]
    for name, command in cli.group.commands.items():
        context = click.Context(command, info_name=name, parent=parent, terminal_width=80)
        parts += [f"## `{name}` {{ #{name} }}\n", _fenced("text", command.get_help(context), f"pid1lint {name} --help")]
    return "\n".join(parts)


# Formats and traces


def _example(folder: str) -> tuple[linter.Result, str]:
    text = (ROOT / folder / "Dockerfile").read_text(encoding="utf-8")
    return linter.lint(text, DiskContext(str(ROOT / folder), display_root=".")), text


def format_examples() -> str:
    """Each form of a report: what it is, and what it makes of an example."""
    result, _ = _example("examples/java-script")
    made = Report(result.diagnostics, ("Dockerfile",), result.launches)
    parts = []
    for form in report.FORMATS:
        module = __import__(f"{report.__name__}.{form}", fromlist=["report"])
        text = "\n".join(report.render(form, made, Style()))
        shown = (
            text if len(text) < 4000 else f"{text[:600].rpartition(_EOL)[0]}\n...\n{text[-3400:].partition(_EOL)[2]}"
        )
        language = _LANGUAGES.get(form, "text" if form in ("text", "concise") else "json")
        parts += [f"## `{form}` {{ #{form} }}\n", _prose(module.__doc__), _fenced(language, shown)]
    return "\n".join(parts)


def trace_of(folder: str) -> str:
    """The processes of an example, as `pid1lint trace` draws them."""
    result, text = _example(folder)
    files = [_fenced("dockerfile", text, "Dockerfile")]
    files += [_fenced("sh", path.read_text(), path.name) for path in sorted((ROOT / folder).glob("*.sh"))]
    drawn = "\n".join(line for launch in result.launches for line in tree.render(launch, Style()))
    return "\n".join([*files, _fenced("text", drawn, "pid1lint trace Dockerfile")])


# Facts


def _fact_pages() -> dict[str, str]:
    made = {
        "shells": _shells,
        "inits": _inits,
        "launchers": _launchers,
        "programs": _programs,
        "measured": _measured,
        "languages": _languages,
        "images": _images,
    }
    found = {f"facts/{name}.md": make() for name, make in made.items()}
    return {"facts/index.md": _facts_index()} | found


def _facts_index() -> str:
    tables = {
        "shells": data.read("shells")["shells"],
        "inits": data.read("inits")["packages"],
        "launchers": data.read("launchers")["launchers"],
        "programs": [*data.read("programs")["programs"], *data.read("programs")["runners"]],
        "measured": [{"source": "measured: make facts"} for _ in data.read("measured")["programs"]],
        "languages": [*data.read("handlers")["languages"].values(), *data.read("handlers")["handlers"]],
        "images": data.read("images")["images"],
    }
    rows = []
    for name, found in tables.items():
        kinds = Counter(row["source"].partition(":")[0] for row in found)
        rows.append((f'<a href="{name}/">{name}</a>', str(len(found)), *(str(kinds[kind]) for kind in _KINDS)))
    return f"{_FACTS}\n{_table(('what', 'rows', *_KINDS), rows)}"


_KINDS = ("measured", "documented", "believed")
_FACTS = """# The facts

What pid1lint knows about shells, inits, launchers, programs and base images is data in the package. These pages show
that data. Each row has a source: *measured* means that it was observed under the kernel, with the version; *documented*
means that a manual or the program's own source says so; *believed* means neither. pid1lint does not guess what is in no
row: see [how a verdict is reached](../verdict.md).
"""


_SHELLS = """How shells differ where it decides which processes live. Each value was measured.

- `exec_string`, `exec_file`: the shell replaces itself with the last command of a `-c` string or of a script file
  under these circumstances. If one circumstance is not in the list, the shell forks. Empty: it never does.
    - of the command: `assignment` (`A=1 app`), `redirect`, `heredoc`, `process-substitution`, `expansion` (its name
      is `"$@"` or the like), `command-builtin` (`command app`)
    - of its position: after a `semicolon`, a `newline` or an `&` (`background-list`), to the right of && or ||
      (`and-or`), in a `subshell`, `group`, `if`, `case` or `for`, in a called `function`
    - of the text: it ends in `trailing-newline`, `trailing-semicolon` or `trailing-comment`; a trap ignores a signal
      (`ignored-trap`); an ERR trap is set (`err-trap`)
    - never in any shell: if a signal is caught or an EXIT trap is set; in while, until, `eval`, a sourced file or a
      pipeline; before && or ||; after `!` or `time`
- `exec_background`: these compound commands become their last command in the background, so `$!` is the app:
  `subshell` `( a; app ) &`, `and-or` `a && app &`, `group` `{ app; } &`, `function` `f &`. For the others `$!` is a
  subshell: TERM kills it and not the app. With `background_blocks` it survives TERM.
- `pipeline_tail_in_shell`: the last part of a pipeline runs in the shell itself
- `exit_trap_on_signal`: TERM without a trap runs the EXIT trap and ends the shell, even as PID 1 and with the app in
  the foreground
- `exit_trap_then_stays`: TERM without a trap runs the EXIT trap, and as PID 1 the shell then continues
- `dies_while_waiting`: TERM without a trap ends the shell in `wait`, with its EXIT trap, even as PID 1
- `kill_zero`: what `kill 0` in the handler of the same signal leads to: `crashes`, `dies`, `hangs`
- `wait_n_status`: the status with which a shell without `wait -n` ends at it
- `wait_n_counts_ended`: `wait -n` also returns for a job that has already exited
- `ampersand_redirect`: `&>` redirects; otherwise it means `&` and then `>`
- `foreground_job`: `fg` works without a terminal, after `set -m`
- `jobs_in_substitution`: `$(jobs -p)` is not empty
- `lists_ended_jobs`: which of the jobs that have exited it names until `wait` has reported them: `all`, or only the
  `last`, `$!`, and that only if no signal has killed it
- `jobs_running`: the shell knows `jobs -r`
- `interrupt_ends`: INT without a trap ends the shell, even as PID 1, in `wait` or after the child in the foreground
  has exited; as PID 1 its EXIT trap runs, elsewhere the shell dies of the signal without it
- `ignores_quit`: the shell ignores QUIT, unless it is trapped or the shell is a subshell
- `trap_skips_unknown`: an unknown signal name does not keep `trap` from setting the others on the line
- `kill_counts_any`: `kill` succeeds if it could signal one of several processes
- `errors_end`: a wrong use of `shift` or `local` ends the script with 2
- `return_anywhere`: outside of functions `return` is an error that the script survives; otherwise it ends the script
- `pipefail`: the shell has that option; otherwise it exits with 2 at `set -o pipefail`
"""
_LAUNCHERS = """How a launcher starts its command, and how it reads its own arguments.

- `kind`: `exec` (becomes the command), `forward` (forks, passes signals on and waits), `hang` (forks, does neither,
  and ignores the signal as PID 1), `switch` (su: kills the command 2 s after the signal), `quit` (forks, and exits on
  the signal before its command can), `detach` (forks and exits, so the container exits), `init` (forks, passes signals
  on and reaps)
- `option_kinds`: options that change the kind
- `busybox_kind`: the kind as an applet of Busybox, or as Alpine builds it, if it differs
- `options_with_value`: options that take the next word, or the rest of their own word as a value; `flags` take none
- `operands`: how many words come before the command; each of `operand_options` replaces one
- `assignments`: NAME=value words come before the command
- `subcommand`: words that must come first; `optional_words`: words that may come before the command
- `command_options`: options whose value is the command; `shell_options`: a shell string; `split_options`: a string
  that is split at spaces
- `no_command_options`: with one of these there is no command; `commandless`: there never is one
- `needs_command`: without a command it prints its usage and exits
- `after_dashes`: a command comes only after `--`
- `permutes`: options may come after operands, and words after those are arguments of a shell
- `shell_words`: a command of one word is a shell string
- `takes_later_options`: without `--` it reads options after the command's name as its own, and exits with 1 at an
  unknown one; not if it is built with musl, as in Alpine
- `leads_group`: it makes a new process group for itself and the command
- `resets_ignored`: the command does not inherit ignored signals, except HUP and INT
- `repeats`: it starts its command again when that has ended, or could not be started
- `group`: signals go to the whole process group of the command; `group_options` turn that on, `ungroup_options` off
- `signals`: what an init with services of its own does as PID 1 on a signal: `handles` (ends them and waits),
  `abandons` (exits at once and leaves them behind), `survives` (stays); of a launcher that quits, on which signals it
  does: `drops`
"""
_PROGRAMS = """What a program does, or one way of calling it.

- `kind`: `program`, `runner` (starts a command that is written elsewhere: npm, make), `interpreter` (runs the app's
  source), `shell` or `interactive` (a language's own shell: it exits when its input ends)
- `arguments`, `unless`: patterns that the joined arguments must match, or must not match
- `unless_config`: a pattern that the program's configuration files and environment must not match
- `unless_env`: a pattern that no variable of its environment (`NAME=value`) may match
- `configs`: the paths of its configuration files if the command names none; a path that ends in `/` is a folder
- `lifetime`: `short` (returns soon), `forever` (a server, never returns), `long` (may be either), `daemonizes`
  (returns and leaves a daemon in the background; `foreground` says how to prevent that)
- `signals`: `handles` (exits cleanly), `drops` (exits at once, work in flight is lost), `default` (no handler: PID 1
  ignores it, any other process dies), `survives` (caught or ignored, and it stays). A signal that is not listed is
  unknown.
- `graceful`: the signal for a clean exit
- `reaps`: whether it waits for orphans that it never started; `spawns`: it starts children that may become orphans
- `language`: what it is written in; `interpreter`: the language whose source decides
- `wraps`: a script that runs this program as its child and passes no signals on; `steps_aside`: how to make it exec
- `helper`: nothing is lost when it is killed
- `folders`: the program must be in one of these folders if it is called by a path
- `unless_sh`: with this /bin/sh the name belongs to another program
- `in_group`: what the stop signal does if an init sends it to the whole process group
"""
_RUNNERS = """How a package runner passes the stop signal on to an app that handles it.

- `dash`, `other`: the outcome if /bin/sh is Debian's dash, and if it is Busybox or bash: `graceful`, `abrupt` or
  `hang`
- `exec mends`: `exec` before the script's command makes it graceful with dash too
- `versions`: the versions that the row is about; without it, all others
"""
_IMAGES = """What decides what the containers of an image run.

- `family`: the distribution; empty if the tag leaves it open
- `sh`: what /bin/sh is: `dash`, `busybox`, `bash`, `none`; `shells`: the other shells
- `sh_version`, `bash_version`: set if the shell is so old that it execs less
- `entrypoint_runs`: what the entrypoint does with its arguments: `none` (there is no entrypoint), `exec-args` (execs
  them), `exec-program` (execs `runs` and passes them on), `init` (stays PID 1 as an init and runs them as its
  child), `program` (the entrypoint is the program itself), `unknown`
- `runs`: also what `exec-args` runs without a command; `prepends`: what it puts before arguments that begin with `-`
  or with one of `prepends_to`
- `config`: the text in its configuration files that decides whether a program stays in the foreground
- `packages`: the inits and user switchers in the image
"""


def _facts(title: str, about: str | None, *tables: str) -> str:
    return "\n".join([f"# {title}\n", _prose(about), *tables])


def _words(row: Row, key: str = "names") -> str:
    return _codes(data.words(row[key]))


def _shown(value: object) -> str:
    """A field's value: words, yes and no, lists and tables as they stand."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return _code(value)
        case list() if all(isinstance(each, str) for each in value):
            return _codes(value)
        case list() | dict():
            return _code(value)
    return str(value)


def _others(row: Row, *known: str) -> str:
    """The fields of a row that have no column of their own."""
    rest = (key for key in row if key not in (*known, "source"))
    return "<br>".join(f"{key.replace('_', ' ')}: {_shown(row[key])}" for key in rest)


def _shells() -> str:
    rows = data.read("shells")["shells"]
    listed = ((_words(row), _inline(row["source"])) for row in rows)
    traits = [name for name in shells.Shell._fields if name not in ("name", "measured", "source")]
    known = {row["names"]: shells.shell(data.words(row["names"])[0]) for row in rows}
    header = ("", *(_code(data.words(names)[0]) for names in known))
    body = ((_code(trait), *(_trait(getattr(each, trait)) for each in known.values())) for trait in traits)
    return _facts("Shells", _SHELLS, _table(("shell", "source"), listed), _table(header, body))


def _trait(value: object) -> str:
    return _codes(sorted(value)) if isinstance(value, frozenset) else _shown(value) if value != "" else ""


def _inits() -> str:
    file = data.read("inits")
    about = "The inits that a fix can put in front of a program, and the packages that contain them."
    rows = (
        (_code(r["init"]), _words(r, "families"), _others(r, "init", "families"), r["source"]) for r in file["packages"]
    )
    managers = ((_code(name), _code(row["plain"] + row["clean"])) for name, row in file["managers"].items())
    found = (row for row in data.read("launchers")["launchers"] if row["kind"] == "init")
    as_launchers = ((_words(row), _others(row, "names", "kind"), _inline(row["source"])) for row in found)
    return _facts(
        "Inits",
        about,
        _table(("init", "distributions", "but", "source"), rows),
        "What installs them:\n",
        _table(("package manager", "command"), managers),
        "What they do with their arguments (see [launchers](launchers.md)):\n",
        _table(("names", "how", "source"), as_launchers),
    )


def _launchers() -> str:
    rows = (
        (_words(row), _code(row["kind"]), _others(row, "names", "kind"), _inline(row["source"]))
        for row in data.read("launchers")["launchers"]
    )
    return _facts("Launchers", _LAUNCHERS, _table(("names", "kind", "how", "source"), rows))


def _programs() -> str:
    file = data.read("programs")
    rows = (
        (
            _words(row),
            _code(row["lifetime"]),
            _reactions(row.get("signals", {}), file["reactions"]),
            _code(row["graceful"]) if "graceful" in row else "",
            _others(row, "names", "lifetime", "signals", "graceful"),
            _inline(row["source"]),
        )
        for row in file["programs"]
    )
    header = ("names", "lifetime", "signals", "graceful", "more", "source")
    runners = (
        (_words(row), _shown(row["dash"]), _shown(row["other"]), _others(row, "names", "dash", "other"), row["source"])
        for row in file["runners"]
    )
    return _facts(
        "Programs",
        _PROGRAMS,
        _table(header, rows),
        f"## Package runners\n\n{_RUNNERS}",
        _table(("names", "with dash", "with another shell", "more", "source"), runners),
    )


def _reactions(signals: str | Mapping[str, str], named: Mapping[str, Mapping[str, str]]) -> str:
    known = named[signals] if isinstance(signals, str) else signals
    return "<br>".join(f"{signal}: {_code(reaction)}" for signal, reaction in known.items())


def _measured() -> str:
    """The programs that `make facts` has started, by kind, and those of which only documents tell."""
    table = data.read("measured")["programs"]
    kinds = sorted({row.get("kind", "") for row in table.values()})
    file = data.read("programs")
    documented = (
        (
            _words(row),
            _code(row["lifetime"]),
            _reactions(row.get("signals", {}), file["reactions"]),
            _inline(row["source"]),
        )
        for row in file["programs"]
        if row["lifetime"] in ("forever", "daemonizes") and not row["source"].startswith("measured")
    )
    return _facts(
        "Programs as PID 1",
        _MEASURED.format(count=len(table)),
        *_at_a_glance(table),
        _READING,
        *(
            _measured_kind(kind, {name: row for name, row in table.items() if row.get("kind", "") == kind})
            for kind in kinds
        ),
        "## Not measured\n\nThese facts come from the programs' documentation, or are believed: see the source.\n",
        _table(("programs", "lifetime", "signals", "source"), documented),
    )


_SIGNALS = ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "WINCH")
_MEASURED = """\
What {count} programs do when they are told to stop. Each was installed from Debian, PyPI or npm and started as PID 1 of
a PID namespace in a temporary root. Each signal was sent from outside, as a container engine does. What is new or
changed was measured twice, and counts only if both results were the same. `make facts` measures this again.
"""
_READING = """## How to read the tables

- **ends**: the container ended, with the exit code that stands behind it. Where a request was being answered when the
  signal came, *finishes* or *loses* tells what became of it: a short one that the server takes its time for, or a
  large file that the client reads slowly.
- **deaf**: the program has no handler for the signal. The kernel keeps such a signal from PID 1, so nothing happens:
  `docker stop` waits for the grace period, then kills it. The same program below an init ends at once.
- **goes on**: the program knows the signal, and does not end within 10 s of it.
- **below an init**: what TERM does to the same program as a child of tini.
- **stop it with**: the signal that an image should have as its STOPSIGNAL, where it is not TERM.
- **reaps**: whether it waits for orphans that it never started. What does not needs an init where children leave some.
- **foreground**: what keeps it from going into the background, which ends the container.

A signal is sent to a program that is idle, a moment after it is up. What it does in the middle of its start, or while
a client is connected that never ends, can be something else: the facts on [programs](programs.md) say so where it is
known.
"""


def _at_a_glance(table: Mapping[str, Row]) -> Iterator[str]:
    groups: dict[str, list[str]] = {title: [] for title in _GROUPS}
    for name, row in sorted(table.items()):
        groups[_group_of(row)].append(name)
    yield "## TERM at a glance\n"
    rows = ((_inline(_GROUPS[title]), str(len(names)), _codes(names)) for title, names in groups.items())
    yield _table(("on TERM as PID 1", "how many", "which"), rows)


_GROUPS = {
    "finishes": "ends, and finishes the request that is open",
    "ends": "ends; it was not asked about an open request",
    "loses": "ends, and loses the request that is open",
    "cut off": "ends at once, with 2: written in Go, and without a handler of its own",
    "deaf": "deaf: it needs an init, or another signal",
    "goes on": "goes on: it needs another signal or another option",
}


_GO, _TERMINATED = 2, 143
"""What Go's runtime ends with on a signal that it cannot pass on; what a shell tells of one that SIGTERM has ended."""


def _group_of(row: Row) -> str:
    told = row["signals"]["TERM"]
    if told["ends"]:
        if told["code"] == row["signals"]["QUIT"].get("code") == _GO and row["below_init"].get("code") == _TERMINATED:
            return "cut off"
        return {"finished": "finishes", "lost": "loses"}.get(told.get("request", ""), "ends")
    return "deaf" if _is_deaf(told, row) else "goes on"


def _is_deaf(told: Row, row: Row) -> bool:
    """Whether nothing handles a signal: node's and PHP's handlers do no more than hand it on to the kernel."""
    handed_on = told is row["signals"]["TERM"] and row["below_init"].get("code") == _TERMINATED
    return told["set"] == "default" or handed_on


def _measured_kind(kind: str, table: Mapping[str, Row]) -> str:
    header = (
        "program",
        "version",
        "TERM",
        "below an init",
        "INT",
        "QUIT",
        "other signals",
        "stop it with",
        "reaps",
        "foreground",
    )
    rows = (
        (
            f"{_code(name)}{_if_other(name, row['command'])}",
            f"{html.escape(row['version'])}<br>{_origin(row['package'])}<br>{row['date']}",
            *(
                _measured_signal(told, row)
                for told in (row["signals"]["TERM"], row["below_init"], row["signals"]["INT"], row["signals"]["QUIT"])
            ),
            _other_signals(row),
            _wanted(row),
            "yes" if row["reaps"] else "no",
            _foreground(row),
        )
        for name, row in sorted(table.items())
    )
    return f"## {kind or 'Others'}\n\n{_table(header, rows)}"


def _if_other(name: str, command: str) -> str:
    return "" if name == command else f"<br>{_code(command)}"


def _origin(package: str) -> str:
    registry, _, name = package.rpartition(":")
    return html.escape(f"{ {'pip': 'PyPI', 'npm': 'npm'}.get(registry, 'Debian') }: {name}")


def _measured_signal(told: Row, row: Row) -> str:
    if not told["ends"]:
        if told is row["below_init"]:
            return "goes on" if not row["signals"]["TERM"]["ends"] else "not within 3 s"
        return "deaf" if _is_deaf(told, row) else "goes on"
    slow = f" after {told['seconds']:g} s" if told["seconds"] >= _SLOW else ""
    request = {"finished": ", finishes", "lost": ", loses"}.get(told.get("request", ""), "")
    return f"ends {told['code']}{slow}{request}"


_SLOW = 1.0


def _other_signals(row: Row) -> str:
    """What the signals do that are no wish to end, as a rule: those of one answer together."""
    answers: dict[str, list[str]] = {}
    for signal in ("HUP", "USR1", "USR2", "WINCH"):
        told = row["signals"][signal]
        if signal != "WINCH" or told["ends"]:
            answers.setdefault(_measured_signal(told, row), []).append(signal)
    return "<br>".join(f"{' '.join(signals)}: {answer}" for answer, signals in answers.items())


def _wanted(row: Row) -> str:
    """The stop signal that the facts name for a command, if it is not TERM; or that only an init helps."""
    fact = programs.program(_own_argv(row["command"]))
    graceful = fact.graceful if fact is not None else ""
    if graceful not in ("", "TERM"):
        return _code(f"SIG{graceful}")
    if _group_of(row) in ("deaf", "goes on"):
        return "an init" if row["below_init"]["ends"] else ""
    return ""


def _own_argv(command: str) -> Sequence[str]:
    """A command without what switches the user before it."""
    argv = shlex.split(command)
    while argv and (known := launchers.launcher(argv[0])) is not None and known.kind == "exec":
        words = launchers.split(known, argv).words
        if not words:
            return argv
        argv = [argv[index] for index in words]
    return argv


def _foreground(row: Row) -> str:
    """The options that keep it from the background."""
    if not row.get("daemonizes"):
        return ""
    plain = shlex.split(row["plain"])
    kept = [word for word in shlex.split(row["command"]) if word not in plain]
    dropped = [word for word in plain if word not in shlex.split(row["command"])]
    if any(word.startswith("-") for word in dropped):
        return f"without {_code(' '.join(dropped))}"
    return _code(" ".join(kept)) if kept else ""


def _languages() -> str:
    file = data.read("handlers")
    about = (
        "What a signal does to a program without a handler, by language: `default` (as PID 1 it ignores the signal, "
        "otherwise it exits), `drops` (it exits at once and loses its work), `handles` (it exits through its exit "
        "hooks), `survives`. The last table shows what in a source or a manifest sets a handler."
    )
    languages = (
        (_code(name), *(_code(row.get("signals", {}).get(s, "")) for s in _SIGNALS), _inline(row["source"]))
        for name, row in file["languages"].items()
    )
    libraries = (
        (_code(row["language"]), _inline(row["name"]), _code(row["reaction"]), row["signals"], _inline(row["source"]))
        for row in file["libraries"]
    )
    handlers = (
        (_code(row["language"]), _code(row["pattern"]), row.get("signals", ""), _inline(row["source"]))
        for row in file["handlers"]
    )
    return _facts(
        "Languages",
        about,
        _table(("language", *_SIGNALS, "source"), languages),
        "## What a library does by itself\n",
        _table(("language", "library", "reaction", "signals", "source"), libraries),
        "## What shows a handler\n",
        _table(("language", "pattern", "signals", "source"), handlers),
    )


def _images() -> str:
    file = data.read("images")
    families = ((_code(name), _others(row)) for name, row in file["families"].items())
    rows = (
        (
            _words(row),
            _code(row["family"]),
            _shown(row["entrypoint"]) if "entrypoint" in row else "",
            _shown(row["cmd"]) if "cmd" in row else "",
            _shown(row.get("stop_signal", "")) if "stop_signal" in row else "",
            _others(row, "names", "family", "entrypoint", "cmd", "stop_signal"),
            _inline(row["source"]),
        )
        for row in file["images"]
    )
    return _facts(
        "Base images",
        _IMAGES,
        _table(("distribution", "what its images have in common"), families),
        _table(("names", "family", "ENTRYPOINT", "CMD", "STOPSIGNAL", "more", "source"), rows),
    )


# The library


def library_reference() -> str:
    """Every public name with its signature and docstring, out of the source."""
    parts = []
    for name in sorted(pid1lint.__all__, key=str.lower):
        if name == "__version__":
            continue
        node = _definition(name)
        docstring = _prose(ast.get_docstring(node))
        parts += [f"### `{name}` {{ #{name} }}\n", _fenced("python", "\n".join(_signature(node))), docstring]
    return "\n".join(parts)


def _definition(name: str) -> ast.ClassDef | ast.FunctionDef:
    module: str = getattr(pid1lint, name).__module__
    nodes = ast.parse((ROOT / (module.replace(".", os.sep) + ".py")).read_text(encoding="utf-8")).body
    return next(
        node for node in reversed(nodes) if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name
    )


def _signature(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        result = ast.unparse(node.returns) if node.returns is not None else "None"
        yield f"def {node.name}({ast.unparse(node.args)}) -> {result}: ..."
        return
    yield f"class {node.name}({', '.join(map(ast.unparse, node.bases))}):" if node.bases else f"class {node.name}:"
    yield from (f"    {line}" for each in node.body if (line := _member(each)))


def _member(node: ast.stmt) -> str:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
            return ast.unparse(node)
        case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
            return ast.unparse(node)
        case ast.FunctionDef(name=name) if not name.startswith("_"):
            marks = "".join(f"@{ast.unparse(mark)} " for mark in node.decorator_list)
            return marks + next(_signature(node))
    return ""


BLOCKS: Mapping[str, Callable[..., str]] = {
    "keys": configuration_keys,
    "commands": command_line,
    "formats": format_examples,
    "trace": trace_of,
    "library": library_reference,
}
