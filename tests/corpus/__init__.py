"""What all fixes make of real repositories: does every file still parse, does a second run change anything."""
