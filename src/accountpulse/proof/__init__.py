"""What the score said against what happened: pure statistics on account-months, no vendor, no clock."""
