"""What a procedure changes beside what it says; see the map in `rollback_drill`."""
