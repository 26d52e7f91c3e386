"""What other linters say of the problems that the rule pages show, and what their fixes make of them."""
