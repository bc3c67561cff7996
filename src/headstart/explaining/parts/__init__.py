"""An item as parts that can be removed: cells of a picture, words, or cells of time and frequency of a recording."""
