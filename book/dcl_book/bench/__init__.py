"""What a step costs: the benchmark, ``python -m dcl_book.bench``."""
