"""What every metric of every customer truly is, computed from the world itself."""
