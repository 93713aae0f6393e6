import sys

try:
    from packaging.version import InvalidVersion, Version
except ImportError:
    from pip._vendor.packaging.version import InvalidVersion, Version

for line in sys.stdin:
    try:
        first, second = map(Version, line.rstrip("\n").split("\t"))
        print((first > second) - (first < second))
    except InvalidVersion:
        print("!")
