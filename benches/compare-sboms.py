"""Figures and package differences of the SBOMs that scan-beside-peers.sh left in a directory."""

import collections
import json
import pathlib
import re
import sys
import urllib.parse

work = pathlib.Path(sys.argv[1])


def identity(purl):
    """type/name@version without qualifiers; names folded where their ecosystem folds them."""
    purl = urllib.parse.unquote(purl.split("?")[0].split("#")[0])
    if purl.startswith("pkg:pypi/"):
        purl = re.sub(r"[-_.]+", "-", purl.lower())
    return purl


def packages(name):
    path = work / f"{name}.json"
    if not path.exists():
        return None
    found = set()
    stack = list(json.loads(path.read_text()).get("components", []))
    while stack:
        component = stack.pop()
        stack.extend(component.get("components", []))
        if component.get("purl"):
            found.add(identity(component["purl"]))
    return found


print(f"{'':10}{'user s':>8}{'sys s':>8}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}")
for name in ("yagura", "syft", "trivy", "gzip"):
    time = work / f"{name}.time"
    if time.exists():
        user, system, wall, peak = (float(x) for x in time.read_text().splitlines()[-1].split()[1:])
        print(f"{name:10}{user:8.2f}{system:8.2f}{user + system:8.2f}{wall:8.2f}{peak / 1024:9.0f}")

found = {name: packages(name) for name in ("yagura", "syft", "trivy")}
found = {name: purls for name, purls in found.items() if purls is not None}
kinds = sorted({purl.split("/")[0] for purls in found.values() for purl in purls})
print(f"\n{'packages':20}" + "".join(f"{name:>9}" for name in found))
for kind in kinds:
    counts = (collections.Counter(p.split("/")[0] for p in purls)[kind] for purls in found.values())
    print(f"{kind:20}" + "".join(f"{count:9}" for count in counts))

for peer in ("syft", "trivy"):
    if peer in found:
        for title, rows in (
            (f"only {peer}", found[peer] - found["yagura"]),
            (f"only yagura (not {peer})", found["yagura"] - found[peer]),
        ):
            print(f"\n{title}: {len(rows)}")
            for purl in sorted(rows)[:400]:
                print("  ", purl)
