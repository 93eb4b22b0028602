"""The ground that everything stands on: errors, periods, the tables that flow, secrets out of texts, files."""
