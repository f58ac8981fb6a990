"""What tables call the teacher's two parts beside a student."""

ENGLISH_REFERENCE, ZERO_SHOT = "English reference", "zero-shot"
