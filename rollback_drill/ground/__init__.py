"""The ground words: errors, verdicts, time, waiting, files, what a terminal is shown."""
