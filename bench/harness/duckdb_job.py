"""The engine alone, with as little around it as Python allows: `python -I -S duckdb_job.py SITE_PACKAGES DATABASE THREADS SQL`.

The package's native module is imported directly, which halves what the start costs.
"""
import sys

sys.path.append(sys.argv[1])
import _duckdb  # noqa: E402

connection = _duckdb.connect(sys.argv[2])
connection.execute(f"SET threads={sys.argv[3]}")
connection.execute(sys.argv[4])
connection.close()
