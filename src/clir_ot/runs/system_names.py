"""What tables call the teacher's two parts beside a student."""

UPPER_BOUND, ZERO_SHOT = "English upper bound", "zero-shot"
