"""Places for sealed Parquet files: a folder, S3, fsspec, PostgreSQL. Import ``open_archive`` from ``registry``."""
