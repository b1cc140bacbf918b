"""From what was seen to a decision. Pure: no stage, no HTTP, no database driver."""
