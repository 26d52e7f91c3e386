"""How long pid1lint takes, as ratios: seconds say more of the machine than of the program."""
