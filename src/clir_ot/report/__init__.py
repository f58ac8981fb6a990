"""The report: from run folders to tables, pictures and an answer in words."""
