"""Completion in PowerShell, by the protocol that click has for the shells that it does not know itself."""

from __future__ import annotations

import os

from click.shell_completion import CompletionItem, ShellComplete

# The words reach the program a line each: PowerShell has taken their quotes off already. Windows PowerShell deletes a
# variable that is set to nothing, so that a missing one means nothing.
_SCRIPT = """\
Register-ArgumentCompleter -Native -CommandName @('%(prog_name)s', '%(prog_name)s.exe') -ScriptBlock {
    param($word, $line, $cursor)
    $words = foreach ($element in $line.CommandElements) {
        if ($element.Extent.EndOffset -lt $cursor) {
            if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $element.Value }
            else { $element.Extent.Text }
        }
    }
    $env:%(complete_var)s = 'powershell_complete'
    $env:COMP_WORDS = $words -join "`n"
    $env:COMP_CWORD = $word
    try {
        $answers = @(& %(prog_name)s)
    }
    finally {
        Remove-Item -ErrorAction Ignore -Path @('Env:%(complete_var)s', 'Env:COMP_WORDS', 'Env:COMP_CWORD')
    }
    foreach ($answer in $answers) {
        $kind, $value, $help = $answer -split "`t", 3
        if ($kind -eq 'plain') {
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    }
    if ($answers -match '^(file|dir)') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($word)
    }
}
"""


class PowerShellComplete(ShellComplete):
    """Answers in lines of kind, value and tool tip, with tabs between them."""

    name = "powershell"
    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words behind the program's name, and the one that is being typed."""
        return os.environ.get("COMP_WORDS", "").split("\n")[1:], os.environ.get("COMP_CWORD", "")

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """What may stand there; behind `--option=` the option stays, for PowerShell replaces the whole word."""
        found = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in found:
                item.value = f"{option}={item.value}"
        return found

    def format_completion(self, item: CompletionItem) -> str:
        """One line; PowerShell takes no empty tool tip."""
        return f"{item.type}\t{item.value}\t{' '.join((item.help or item.value or ' ').split()) or ' '}"
