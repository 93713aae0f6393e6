import ctypes
import ctypes.util
import sys

alpm = ctypes.CDLL(ctypes.util.find_library("alpm") or "libalpm.so.13")
for line in sys.stdin:
    first, second = line.rstrip("\n").encode().split(b"\t")
    print(alpm.alpm_pkg_vercmp(first, second))
