"""What crossed a line since the last word, in words, and the channels that it goes to."""
