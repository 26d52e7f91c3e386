"""What a program of each language does on signals if it sets no handler: its exit hooks say whether it ended cleanly.

Each program prints `ready`, waits, and has one hook of the kind that its language offers for its end (`atexit`,
`defer`, `finally`, `ensure`), which prints `hook`.
"""

from __future__ import annotations

from typing import NamedTuple


class Language(NamedTuple):
    """A source file, how it is compiled (in a shell, in /l), what is run, and the package whose version is told."""

    file: str
    text: str
    build: str
    argv: tuple[str, ...]
    package: str


LANGUAGES = {
    "c": Language(
        "a.c",
        "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n"
        'static void hook(void) { puts("hook"); }\n'
        'int main(void) { atexit(hook); puts("ready"); fflush(stdout); for (;;) pause(); }\n',
        "gcc a.c -o c",
        ("/l/c",),
        "gcc",
    ),
    "c++": Language(
        "a.cpp",
        "#include <iostream>\n#include <thread>\nstruct H { ~H() { std::cout << \"hook\" << std::endl; } };\n"
        'int main() { H h; std::cout << "ready" << std::endl;'
        " for (;;) std::this_thread::sleep_for(std::chrono::seconds(1)); }\n",
        "g++ a.cpp -o cpp",
        ("/l/cpp",),
        "g++",
    ),
    "rust": Language(
        "a.rs",
        "struct H;\nimpl Drop for H { fn drop(&mut self) { println!(\"hook\"); } }\n"
        'fn main() { let _h = H; println!("ready");'
        " loop { std::thread::sleep(std::time::Duration::from_secs(1)); } }\n",
        "rustc a.rs -o rust",
        ("/l/rust",),
        "rustc",
    ),
    "go": Language(
        "a.go",
        'package main\nimport ("fmt"; "time")\n'
        'func main() { defer fmt.Println("hook"); fmt.Println("ready"); for { time.Sleep(time.Second) } }\n',
        "GOCACHE=/l/go-cache GO111MODULE=off go build -o go a.go && rm -rf /l/go-cache",
        ("/l/go",),
        "golang-1.19-go",
    ),
    "haskell": Language(
        "A.hs",
        "module Main where\nimport System.IO\nimport Control.Concurrent\nimport Control.Exception\n"
        'main :: IO ()\nmain = (do { hSetBuffering stdout NoBuffering; putStrLn "ready"; loop })'
        ' `finally` putStrLn "hook"\nloop :: IO ()\nloop = threadDelay 1000000 >> loop\n',
        "ghc -v0 A.hs -o haskell",
        ("/l/haskell",),
        "ghc",
    ),
    "java": Language(
        "A.java",
        "class A { public static void main(String[] x) throws Exception {\n"
        'Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));\n'
        'System.out.println("ready"); for (;;) Thread.sleep(1000); } }\n',
        "javac A.java",
        ("java", "-cp", "/l", "A"),
        "openjdk-17-jdk-headless",
    ),
    "node": Language(
        "a.js",
        "process.on('exit', () => console.log('hook')); console.log('ready'); setInterval(() => 0, 1000);\n",
        "true",
        ("node", "/l/a.js"),
        "nodejs",
    ),
    "python": Language(
        "a.py",
        "import atexit, time\natexit.register(lambda: print('hook', flush=True))\nprint('ready', flush=True)\n"
        "while True: time.sleep(1)\n",
        "true",
        ("python3", "/l/a.py"),
        "python3.11",
    ),
    "ruby": Language(
        "a.rb",
        '$stdout.sync = true\nat_exit { puts "hook" }\nputs "ready"\nloop { sleep 1 }\n',
        "true",
        ("ruby", "/l/a.rb"),
        "ruby3.1",
    ),
    "perl": Language(
        "a.pl",
        '$| = 1; END { print "hook\\n" } print "ready\\n"; sleep 1 while 1;\n',
        "true",
        ("perl", "/l/a.pl"),
        "perl",
    ),
    "php": Language(
        "a.php",
        '<?php register_shutdown_function(fn() => print("hook\\n")); echo "ready\\n"; while (true) sleep(1);\n',
        "true",
        ("php", "/l/a.php"),
        "php8.2-cli",
    ),
    "erlang": Language(
        "a.erl",
        "-module(a).\n-export([start/0]).\nstart() -> io:format(\"ready~n\"), timer:sleep(infinity).\n",
        "erlc a.erl",
        ("erl", "-noshell", "-pa", "/l", "-s", "a", "start"),
        "erlang-base",
    ),
    "elixir": Language(
        "a.exs",
        'System.at_exit(fn _ -> IO.puts("hook") end)\nIO.puts("ready")\nProcess.sleep(:infinity)\n',
        "true",
        ("elixir", "/l/a.exs"),
        "elixir",
    ),
    "ocaml": Language(
        "a.ml",
        'let () = at_exit (fun () -> print_endline "hook"); print_endline "ready"; while true do Unix.sleep 1 done\n',
        "ocamlfind ocamlopt -package unix -linkpkg a.ml -o ocaml || ocamlopt unix.cmxa a.ml -o ocaml",
        ("/l/ocaml",),
        "ocaml-nox",
    ),
    "crystal": Language(
        "a.cr",
        'STDOUT.sync = true\nat_exit { puts "hook" }\nputs "ready"\nloop { sleep 1 }\n',
        "crystal build a.cr -o crystal",
        ("/l/crystal",),
        "crystal",
    ),
    "nim": Language(
        "b.nim",
        'import os\nimport std/exitprocs\naddExitProc(proc() = echo "hook")\necho "ready"\nflushFile(stdout)\n'
        "while true: sleep(1000)\n",
        "nim c --hints:off -o:nim b.nim",
        ("/l/nim",),
        "nim",
    ),
    "d": Language(
        "c.d",
        'import std.stdio, core.thread;\nvoid main() { scope(exit) writeln("hook"); writeln("ready"); stdout.flush();'
        " while (true) Thread.sleep(1.seconds); }\n",
        "gdc c.d -o dlang",
        ("/l/dlang",),
        "gdc",
    ),
    "pascal": Language(
        "p.pas",
        "program p;\nuses SysUtils;\nbegin\n  WriteLn('ready'); Flush(Output);\n  while True do Sleep(1000);\nend.\n",
        "fpc -v0 p.pas -opascal",
        ("/l/pascal",),
        "fpc",
    ),
    "guile": Language(
        "a.scm",
        '(add-hook! exit-hook (lambda () (display "hook\\n")))\n(display "ready\\n") (force-output)\n'
        "(let loop () (sleep 1) (loop))\n",
        "true",
        ("guile-3.0", "--no-auto-compile", "/l/a.scm"),
        "guile-3.0",
    ),
    "sbcl": Language(
        "a.lisp",
        '(push (lambda () (format t "hook~%") (finish-output)) sb-ext:*exit-hooks*)\n(format t "ready~%")'
        " (finish-output)\n(loop (sleep 1))\n",
        "true",
        ("sbcl", "--script", "/l/a.lisp"),
        "sbcl",
    ),
    "tcl": Language(
        "a.tcl",
        'puts ready\nflush stdout\nwhile 1 { after 1000 }\n',
        "true",
        ("tclsh", "/l/a.tcl"),
        "tcl8.6",
    ),
    "r": Language(
        "a.R",
        'reg.finalizer(globalenv(), function(e) cat("hook\\n"), onexit = TRUE)\ncat("ready\\n")\n'
        "while (TRUE) Sys.sleep(1)\n",
        "true",
        ("Rscript", "/l/a.R"),
        "r-base-core",
    ),
    "mono": Language(
        "M.cs",
        "using System;\nclass M { static void Main() {\n"
        'AppDomain.CurrentDomain.ProcessExit += (s, e) => Console.WriteLine("hook");\n'
        'Console.WriteLine("ready"); for (;;) System.Threading.Thread.Sleep(1000); } }\n',
        "mcs M.cs -out:M.exe",
        ("mono", "/l/M.exe"),
        "mono-runtime",
    ),
}  # fmt: skip
PACKAGES = (
    "rustc golang-go gcc libc6-dev g++ ghc default-jdk-headless nodejs python3 ruby perl php-cli erlang-base elixir "
    "ocaml-nox guile-3.0 sbcl crystal fpc gdc nim tcl r-base-core mono-runtime mono-mcs"
).split()
