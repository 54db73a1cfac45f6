"""optalloc: allocation of an integrated special fund. A round workbook in, a verified plan out."""

__version__ = "0.1.0"
