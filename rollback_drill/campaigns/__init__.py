"""Many drills, or none: revalidation, interruptions, mishaps, the check of a stage."""
