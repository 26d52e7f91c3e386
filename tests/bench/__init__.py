"""How long pid1lint takes and how much memory, beside another checkout and other linters."""
