"""optalloc: allocation of an integrated special fund. A round workbook in, a verified plan out.

Python users find their functions in `optalloc.api`.
"""

__version__ = "0.1.0"
