"""Names of bitext formats, apart from what reads them: the command line offers them, and loads no reader for that."""

FORMATS = ("tsv", "csv", "tmx", "jsonl", "zip", "parquet")
