"""One process of a property as several methods measure it: a dear one that counts, and cheaper ones that tell of it."""
