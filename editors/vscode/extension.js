// Shows the findings of pid1lint as diagnostics, and its fixes as quick fixes. All of the analysis is the program's:
// the extension runs `pid1lint check --format json` and reads what it prints.

"use strict";

const childProcess = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const vscode = require("vscode");

const TYPED = new Set(["dockerfile", "dockercompose"]); // what is checked as it stands in the editor
const SAVED = new Set(["shellscript", "yaml"]); // what is checked as it stands on the disk
const DELAY = 300; // milliseconds without a key
const TIME = 30_000; // milliseconds after which a run is given up
const SIZE = 64 * 1024 * 1024; // bytes of a report

/** One check of one document: its findings by file, and the fix of each. */
class Checked {
  constructor() {
    this.files = new Map(); // path -> [{ diagnostic, fix }]
  }

  add(file, entry) {
    this.files.set(file, [...(this.files.get(file) ?? []), entry]);
  }
}

class Pid1lint {
  constructor() {
    this.log = vscode.window.createOutputChannel("pid1lint", { log: true });
    this.collection = vscode.languages.createDiagnosticCollection("pid1lint");
    this.checks = new Map(); // uri of the checked document -> Checked
    this.running = new Map(); // uri -> the process
    this.timers = new Map(); // uri -> the timer of the next check
    this.told = new Set(); // troubles that have been shown once
  }

  dispose() {
    for (const uri of [...this.timers.keys()]) this.cancel(uri);
    this.collection.dispose();
    this.log.dispose();
  }

  /** Stop what is under way for a document. */
  cancel(uri) {
    clearTimeout(this.timers.get(uri));
    this.timers.delete(uri);
    this.running.get(uri)?.kill();
    this.running.delete(uri);
  }

  /** Check a document soon, unless another reason to check it comes first. */
  later(document) {
    const uri = document.uri.toString();
    this.cancel(uri);
    this.timers.set(uri, setTimeout(() => this.check(document), DELAY));
  }

  forget(document) {
    const uri = document.uri.toString();
    this.cancel(uri);
    if (this.checks.delete(uri)) this.show();
  }

  async check(document) {
    const uri = document.uri.toString();
    this.cancel(uri);
    const settings = vscode.workspace.getConfiguration("pid1lint", document.uri);
    if (!isOurs(document) || !settings.get("enable")) return this.forget(document);
    const program = find(settings.get("path"));
    if (program === undefined) {
      return this.tell(`pid1lint: there is no program ${settings.get("path")} in PATH. pipx install pid1lint`);
    }
    const folder = vscode.workspace.getWorkspaceFolder(document.uri)?.uri.fsPath ?? path.dirname(document.fileName);
    const text = document.getText();
    const typed = TYPED.has(document.languageId);
    const what = typed ? ["--stdin-filename", document.fileName, "-"] : [document.fileName];
    const command = ["check", "--format", "json", ...settings.get("arguments"), ...what];
    const { code, stdout, stderr } = await this.run(uri, program, command, folder, typed ? text : "");
    if (code === null || document.isClosed || document.getText() !== text) return; // there is a newer one
    let report;
    try {
      report = JSON.parse(stdout);
    } catch {
      return this.tell(stderr.trim() || `pid1lint: it ended with ${code} and no report`);
    }
    if (stderr.trim() !== "") this.log.info(stderr.trim());
    this.checks.set(uri, read(report, folder, settings.get("unsafeFixes")));
    this.show();
  }

  /** Run the program; a `code` of null if it was stopped. */
  run(uri, program, command, cwd, input) {
    return new Promise((resolve) => {
      const options = { cwd, timeout: TIME, maxBuffer: SIZE, windowsHide: true };
      const child = childProcess.execFile(program, command, options, (error, stdout, stderr) => {
        const current = this.running.get(uri) === child;
        if (current) this.running.delete(uri);
        if (error && typeof error.code !== "number" && current) {
          this.tell(`pid1lint: ${error.killed ? "it took too long" : error.message}`);
        }
        const stopped = !current || (error && typeof error.code !== "number");
        resolve({ code: stopped ? null : (error?.code ?? 0), stdout, stderr });
      });
      this.running.set(uri, child);
      child.stdin.on("error", () => {}); // it may end before it has read all
      child.stdin.end(input);
    });
  }

  /** Show what is known of all files: a script may have findings by several Dockerfiles. */
  show() {
    const files = new Map();
    for (const checked of this.checks.values()) {
      for (const [file, entries] of checked.files) {
        const known = files.get(file) ?? new Map();
        for (const { diagnostic } of entries) known.set(key(diagnostic), diagnostic);
        files.set(file, known);
      }
    }
    this.collection.clear();
    for (const [file, known] of files) this.collection.set(vscode.Uri.file(file), [...known.values()]);
  }

  /** A trouble goes to the log, and once to the one who edits. */
  tell(trouble) {
    this.log.error(trouble);
    if (this.told.has(trouble)) return;
    this.told.add(trouble);
    vscode.window.showErrorMessage(trouble);
  }

  provideCodeActions(document, _range, context) {
    const actions = [];
    for (const diagnostic of context.diagnostics) {
      if (diagnostic.source !== "pid1lint") continue;
      const fix = this.fixOf(document, diagnostic);
      if (fix !== undefined) actions.push(fix);
      const code = typeof diagnostic.code === "object" ? diagnostic.code.value : diagnostic.code;
      const explain = new vscode.CodeAction(`Explain ${code}`, vscode.CodeActionKind.QuickFix);
      explain.command = { command: "pid1lint.explain", title: explain.title, arguments: [code] };
      explain.diagnostics = [diagnostic];
      actions.push(explain);
    }
    return actions;
  }

  fixOf(document, diagnostic) {
    for (const checked of this.checks.values()) {
      for (const entry of checked.files.get(document.fileName) ?? []) {
        if (entry.fix === null || key(entry.diagnostic) !== key(diagnostic) || !isAsRead(entry.fix)) continue;
        const unsafe = entry.fix.applicability !== "safe";
        const title = entry.fix.title + (unsafe ? " (unsafe)" : "");
        const action = new vscode.CodeAction(title, vscode.CodeActionKind.QuickFix);
        action.edit = new vscode.WorkspaceEdit();
        for (const edit of entry.fix.edits) action.edit.replace(vscode.Uri.file(edit.file), edit.range, edit.content);
        action.diagnostics = [diagnostic];
        action.isPreferred = !unsafe;
        return action;
      }
    }
    return undefined;
  }

  /** The rule's page, as the program prints it. */
  async provideTextDocumentContent(uri) {
    const code = path.basename(uri.path, ".md");
    const program = find(vscode.workspace.getConfiguration("pid1lint").get("path"));
    if (program === undefined || !/^PID\d+$/.test(code)) return "";
    const { stdout, stderr } = await this.run(uri.toString(), program, ["explain", code], undefined, "");
    return stdout ? `# ${stdout}` : stderr;
  }
}

function isOurs(document) {
  return document.uri.scheme === "file" && (TYPED.has(document.languageId) || SAVED.has(document.languageId));
}

/** The program's path. A name is looked up in PATH only: Windows would look in the checked folder first. */
function find(program, env = process.env, windows = process.platform === "win32") {
  if (path.isAbsolute(program)) return fs.existsSync(program) ? program : undefined;
  if (path.basename(program) !== program) return undefined;
  const name = windows && path.extname(program) === "" ? `${program}.exe` : program;
  const folders = (env.PATH ?? env.Path ?? "").split(path.delimiter).filter(path.isAbsolute);
  return folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
}

/** A report as diagnostics and fixes; its paths are relative to the folder in which the program ran. */
function read(report, folder, unsafe) {
  const checked = new Checked();
  for (const found of report.diagnostics) {
    const file = path.resolve(folder, found.path);
    const diagnostic = new vscode.Diagnostic(rangeOf(file, found), found.message, SEVERITIES[found.severity]);
    diagnostic.source = "pid1lint";
    diagnostic.code = found.url ? { value: found.code, target: vscode.Uri.parse(found.url) } : found.code;
    diagnostic.relatedInformation = found.notes.map((note) => {
      const place = path.resolve(folder, note.path);
      const location = new vscode.Location(vscode.Uri.file(place), rangeOf(place, note));
      return new vscode.DiagnosticRelatedInformation(location, note.message);
    });
    const offered = found.fix !== null && (unsafe || found.fix.applicability === "safe");
    checked.add(file, { diagnostic, fix: offered ? fixIn(found.fix, folder) : null });
  }
  return checked;
}

function fixIn(fix, folder) {
  const edits = fix.edits.map((edit) => {
    const file = path.resolve(folder, edit.path);
    const range = rangeOf(file, edit);
    return { file, range, content: edit.content, before: opened(file)?.getText() };
  });
  return { title: fix.title, applicability: fix.applicability, edits };
}

/** Whether the files of a fix still read as they did when they were checked. */
function isAsRead(fix) {
  return fix.edits.every((edit) => edit.before === undefined || opened(edit.file)?.getText() === edit.before);
}

function opened(file) {
  return vscode.workspace.textDocuments.find((each) => each.uri.scheme === "file" && each.fileName === file);
}

/** A place in code points from 1, as a range in UTF-16 units from 0. */
function rangeOf(file, { start, end }) {
  const lines = opened(file)?.getText().split(/\r\n|\n/) ?? [];
  const column = (place) => {
    const line = lines[place.line - 1];
    return line === undefined ? place.column - 1 : [...line].slice(0, place.column - 1).join("").length;
  };
  return new vscode.Range(start.line - 1, column(start), end.line - 1, column(end));
}

function key(diagnostic) {
  const { start, end } = diagnostic.range;
  const code = typeof diagnostic.code === "object" ? diagnostic.code.value : diagnostic.code;
  return JSON.stringify([code, start.line, start.character, end.line, end.character, diagnostic.message]);
}

const SEVERITIES = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
};

function activate(context) {
  const pid1lint = new Pid1lint();
  const all = () => vscode.workspace.textDocuments.filter(isOurs).forEach((document) => pid1lint.later(document));
  const selector = [...TYPED, ...SAVED].map((language) => ({ language, scheme: "file" }));
  context.subscriptions.push(
    pid1lint,
    vscode.workspace.onDidOpenTextDocument((document) => isOurs(document) && pid1lint.later(document)),
    vscode.workspace.onDidSaveTextDocument((document) => isOurs(document) && all()),
    vscode.workspace.onDidCloseTextDocument((document) => pid1lint.forget(document)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      const settings = vscode.workspace.getConfiguration("pid1lint", document.uri);
      const typed = document.uri.scheme === "file" && TYPED.has(document.languageId);
      if (typed && settings.get("run") === "onType") pid1lint.later(document);
    }),
    vscode.workspace.onDidChangeConfiguration((event) => event.affectsConfiguration("pid1lint") && all()),
    vscode.languages.registerCodeActionsProvider(selector, pid1lint, {
      providedCodeActionKinds: [vscode.CodeActionKind.QuickFix],
    }),
    vscode.workspace.registerTextDocumentContentProvider("pid1lint", pid1lint),
    vscode.commands.registerCommand("pid1lint.check", () => {
      const document = vscode.window.activeTextEditor?.document;
      return document && pid1lint.check(document);
    }),
    vscode.commands.registerCommand("pid1lint.checkAll", all),
    vscode.commands.registerCommand("pid1lint.explain", (code) =>
      vscode.commands.executeCommand("markdown.showPreview", vscode.Uri.parse(`pid1lint:/${code}.md`)),
    ),
  );
  all();
  return pid1lint;
}

function deactivate() {}

module.exports = { activate, deactivate, find };
