"""What happened, as flat tables: declared one file each, written from the ledger into Parquet month by month."""
