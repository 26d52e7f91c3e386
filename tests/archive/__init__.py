"""Images as archives, made by hand, and what is read out of them."""
