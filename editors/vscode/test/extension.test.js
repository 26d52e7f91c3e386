// The extension in an editor that is only pretended, with the real pid1lint: PID1LINT names it, else PATH has it.

"use strict";

const assert = require("node:assert/strict");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { afterEach, beforeEach, test } = require("node:test");
const { editor } = require("./vscode.js");

const EXTENSION = path.join(__dirname, "..", "extension.js");
const DOCKERFILE = 'FROM debian:12\nCOPY --chmod=755 run.sh /\nENTRYPOINT ["/run.sh"]\n';
const SCRIPT = "#!/bin/sh\n: 😀; java -jar app.jar\n";
const MENDED = "#!/bin/sh\n: 😀; exec java -jar app.jar\n";
const HANGS = "PID201 2:7 sh stays PID 1 and keeps SIGTERM from java: docker stop waits 10 s, then kills it";

let folder, script, dockerfile, context, settings;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), "pid1lint-"));
  dockerfile = path.join(folder, "Dockerfile");
  script = path.join(folder, "run.sh");
  fs.writeFileSync(dockerfile, DOCKERFILE);
  fs.writeFileSync(script, SCRIPT);
  context = { subscriptions: [] };
  settings = {
    enable: true,
    path: process.env.PID1LINT ?? "pid1lint",
    arguments: [],
    run: "onType",
    unsafeFixes: true,
  };
});

afterEach(() => {
  for (const each of context.subscriptions) each.dispose();
  fs.rmSync(folder, { recursive: true });
});

function start() {
  const made = editor(settings);
  made.extension = made.load(EXTENSION).activate(context);
  return made;
}

/** The findings of a file, a line each; places as an editor shows them. */
function shown(made, file) {
  return (made.published.get(file) ?? []).map(({ code, range, message }) => {
    return `${code.value ?? code} ${range.start.line + 1}:${range.start.character + 1} ${message}`;
  });
}

async function until(holds, what) {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`waited in vain: ${what}`);
}

test("a Dockerfile that is opened has its finding in the script, with the Dockerfile as a related place", async () => {
  const made = start();
  made.open(script, "plaintext");
  made.open(dockerfile, "dockerfile");
  await until(() => made.published.size > 0, "findings");
  assert.deepEqual([...made.published.keys()], [script]);
  assert.deepEqual(shown(made, script), [HANGS]);
  const [found] = made.published.get(script);
  assert.deepEqual([found.source, found.severity], ["pid1lint", 0]);
  assert.deepEqual(
    found.relatedInformation.map(({ location }) => [location.uri.fsPath, location.range.start.line]),
    [[dockerfile, 2]],
  );
});

test("the quick fix puts exec where it belongs, counted as the editor counts", async () => {
  const made = start();
  const opened = made.open(script, "shellscript");
  await until(() => made.published.size > 0, "findings");
  const actions = made.extension.provideCodeActions(opened, null, { diagnostics: made.published.get(script) });
  assert.deepEqual(
    actions.map(({ title, isPreferred }) => [title, isPreferred]),
    [
      ["Put exec before java", true],
      ["Explain PID201", undefined],
    ],
  );
  const [{ file, range, content }] = actions[0].edit.edits;
  assert.equal(file, script);
  const line = SCRIPT.split("\n")[range.start.line];
  const mended = line.slice(0, range.start.character) + content + line.slice(range.end.character);
  assert.equal(`#!/bin/sh\n${mended}\n`, MENDED);
});

test("no fix is offered for a text that has changed since", async () => {
  const made = start();
  const opened = made.open(script, "shellscript");
  await until(() => made.published.size > 0, "findings");
  opened.change(`# a new line\n${SCRIPT}`);
  const actions = made.extension.provideCodeActions(opened, null, { diagnostics: made.published.get(script) });
  assert.deepEqual(
    actions.map(({ title }) => title),
    ["Explain PID201"],
  );
});

test("a script that is saved without the mistake has no finding, by whatever it was checked", async () => {
  const made = start();
  made.open(dockerfile, "dockerfile");
  const opened = made.open(script, "shellscript");
  await until(() => made.extension.checks.size === 2, "both are checked");
  assert.deepEqual(shown(made, script), [HANGS]);
  opened.change(MENDED);
  opened.save();
  await until(() => made.published.size === 0, "no findings");
});

test("a Dockerfile is checked as it is typed, before it is saved", async () => {
  const made = start();
  const opened = made.open(dockerfile, "dockerfile");
  await until(() => made.published.size > 0, "findings");
  opened.change("FROM debian:12\nRUNN\n");
  await until(() => made.published.has(dockerfile), "findings in the Dockerfile");
  assert.deepEqual(shown(made, dockerfile), ["PID901 2:1 unknown instruction: RUNN"]);
  assert.deepEqual(shown(made, script), []);
});

test("with onSave, what is typed is not checked", async () => {
  settings.run = "onSave";
  const made = start();
  const opened = made.open(dockerfile, "dockerfile");
  await until(() => made.published.size > 0, "findings");
  opened.change("FROM debian:12\nRUNN\n");
  assert.equal(made.extension.timers.size, 0);
  opened.save();
  await until(() => made.published.has(dockerfile), "findings in the Dockerfile");
});

test("a file that is closed takes its findings with it", async () => {
  const made = start();
  const opened = made.open(dockerfile, "dockerfile");
  await until(() => made.published.size > 0, "findings");
  opened.close();
  assert.equal(made.published.size, 0);
});

test("further options are handed on, and other languages are left alone", async () => {
  settings.arguments = ["--ignore", "PID201"];
  const made = start();
  made.open(path.join(folder, "Dockerfile"), "plaintext");
  assert.equal(made.extension.timers.size, 0);
  made.open(script, "shellscript");
  await until(() => made.extension.checks.size === 1, "it is checked");
  assert.equal(made.published.size, 0);
});

test("Explain opens the page of the rule", async () => {
  const made = start();
  await made.vscode.commands.executeCommand("pid1lint.explain", "PID201");
  assert.deepEqual(made.previews, ["markdown.showPreview pid1lint:/PID201.md"]);
  const page = await made.extension.provideTextDocumentContent({ path: "/PID201.md", toString: () => "page" });
  assert.match(page, /^# PID201 missing-exec \(error\)\n[^]*## Why is this bad\?/);
});

test("a program that is not there, and one that fails, are told once", async () => {
  settings.path = "no-such-program";
  const made = start();
  const opened = made.open(dockerfile, "dockerfile");
  await until(() => made.messages.length > 0, "a message");
  await made.extension.check(opened);
  assert.deepEqual(made.messages, ["pid1lint: there is no program no-such-program in PATH. pipx install pid1lint"]);
  settings.path = process.env.PID1LINT ?? "pid1lint";
  settings.arguments = ["--no-such-option"];
  await made.extension.check(opened);
  assert.match(made.messages[1], /^pid1lint: error: there is no option '--no-such-option'/);
});

test("a program is looked up in PATH, and never in the folder that is checked", () => {
  const { find } = editor(settings).load(EXTENSION);
  fs.writeFileSync(path.join(folder, "pid1lint.exe"), "");
  assert.equal(find("pid1lint", { PATH: folder }, true), path.join(folder, "pid1lint.exe"));
  assert.equal(find("pid1lint", { PATH: `.${path.delimiter}bin` }, true), undefined);
  assert.equal(find("./pid1lint", { PATH: folder }, false), undefined);
  assert.equal(find(path.join(folder, "nowhere"), {}, false), undefined);
});
