"""Shell text: its lexer, its syntax tree, and the gate that every edit of it passes."""
