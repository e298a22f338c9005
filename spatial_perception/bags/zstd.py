"""Zstandard: Python's own module from 3.14 on, its backport (which rosbags needs too) before."""

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError, decompress
else:
    from backports.zstd import ZstdDecompressor, ZstdError, decompress

__all__ = ["ZstdDecompressor", "ZstdError", "decompress"]
