"""What every metric of every customer truly is, told by the world itself."""
