import sys

try:
    from conan.internal.model.version import Version
except ImportError:
    from conans.model.version import Version

for line in sys.stdin:
    first, second = map(Version, line.rstrip("\n").split("\t"))
    print(-1 if first < second else 1 if second < first else 0)
