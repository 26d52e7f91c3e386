// As much of the module `vscode` as the extension touches, in memory: documents that a test opens, changes and saves,
// and what was published of them.

"use strict";

const fs = require("node:fs");
const Module = require("node:module");

class Uri {
  constructor(scheme, value) {
    this.scheme = scheme;
    this.path = value;
    this.fsPath = value;
  }
  static file(value) {
    return new Uri("file", value);
  }
  static parse(value) {
    const [, scheme, rest] = /^([a-z0-9]+):(.*)$/.exec(value);
    return new Uri(scheme, rest);
  }
  toString() {
    return `${this.scheme}:${this.path}`;
  }
}

class Range {
  constructor(startLine, startCharacter, endLine, endCharacter) {
    this.start = { line: startLine, character: startCharacter };
    this.end = { line: endLine, character: endCharacter };
  }
}

class Diagnostic {
  constructor(range, message, severity) {
    Object.assign(this, { range, message, severity });
  }
}

class Location {
  constructor(uri, range) {
    Object.assign(this, { uri, range });
  }
}

class DiagnosticRelatedInformation {
  constructor(location, message) {
    Object.assign(this, { location, message });
  }
}

class CodeAction {
  constructor(title, kind) {
    Object.assign(this, { title, kind });
  }
}

class WorkspaceEdit {
  constructor() {
    this.edits = [];
  }
  replace(uri, range, content) {
    this.edits.push({ file: uri.fsPath, range, content });
  }
}

/** An editor with some settings: `vscode` is what the extension imports, the rest is for the test. */
function editor(settings) {
  const listeners = { open: [], save: [], close: [], change: [], settings: [] };
  const on = (kind) => (listener) => {
    listeners[kind].push(listener);
    return { dispose: () => listeners[kind].splice(listeners[kind].indexOf(listener), 1) };
  };
  const fire = (kind, event) => listeners[kind].forEach((listener) => listener(event));
  const published = new Map();
  const commands = new Map();
  const messages = [];
  const previews = [];
  const documents = [];
  const vscode = {
    CodeAction,
    CodeActionKind: { QuickFix: "quickfix" },
    Diagnostic,
    DiagnosticRelatedInformation,
    DiagnosticSeverity: { Error: 0, Warning: 1, Information: 2, Hint: 3 },
    Location,
    Range,
    Uri,
    WorkspaceEdit,
    commands: {
      registerCommand(name, command) {
        commands.set(name, command);
        return { dispose() {} };
      },
      executeCommand: (name, ...rest) => (commands.get(name) ?? ((uri) => previews.push(`${name} ${uri}`)))(...rest),
    },
    languages: {
      createDiagnosticCollection: () => ({
        clear: () => published.clear(),
        set: (uri, diagnostics) => published.set(uri.fsPath, diagnostics),
        dispose: () => published.clear(),
      }),
      registerCodeActionsProvider: () => ({ dispose() {} }),
    },
    window: {
      activeTextEditor: undefined,
      createOutputChannel: () => ({ info() {}, error() {}, dispose() {} }),
      showErrorMessage: (message) => messages.push(message),
    },
    workspace: {
      textDocuments: documents,
      getConfiguration: () => ({ get: (name) => settings[name] }),
      getWorkspaceFolder: () => undefined,
      onDidOpenTextDocument: on("open"),
      onDidSaveTextDocument: on("save"),
      onDidCloseTextDocument: on("close"),
      onDidChangeTextDocument: on("change"),
      onDidChangeConfiguration: on("settings"),
      registerTextDocumentContentProvider: () => ({ dispose() {} }),
    },
  };
  return {
    vscode,
    published,
    messages,
    previews,
    commands,
    open(file, languageId) {
      let text = fs.readFileSync(file, "utf8");
      const document = { uri: Uri.file(file), fileName: file, languageId, isClosed: false, getText: () => text };
      document.change = (changed) => {
        text = changed;
        fire("change", { document });
      };
      document.save = () => {
        fs.writeFileSync(file, text);
        fire("save", document);
      };
      document.close = () => {
        document.isClosed = true;
        documents.splice(documents.indexOf(document), 1);
        fire("close", document);
      };
      documents.push(document);
      fire("open", document);
      return document;
    },
    /** Load the extension anew, with this editor as its `vscode`. */
    load(file) {
      const load = Module._load;
      Module._load = (name, ...rest) => (name === "vscode" ? vscode : load(name, ...rest));
      try {
        delete require.cache[require.resolve(file)];
        return require(file);
      } finally {
        Module._load = load;
      }
    },
  };
}

module.exports = { editor };
