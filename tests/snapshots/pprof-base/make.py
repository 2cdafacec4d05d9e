"""Writes rows.json beside it: what `go tool pprof -top -base BEFORE AFTER` prints of pairs, as a number of rows and a digest of them.

make.py SAMPLE_PROFILES CORPUS: the folder of samples, and that of real captures. A digest is that of the lines "name TAB flat TAB cum" of all
rows, sorted by their bytes. Rows of 0 and 0 do not appear, and names lose pprof's marks for inlined functions. No code of Emberlens takes part."""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

SAMPLES, CORPUS = map(pathlib.Path, sys.argv[1:3])
UNITS = {"nanoseconds": "ns", "microseconds": "us", "bytes": "B", "count": "count"}


def rows(before, after, name, unit):
    command = ["go", "tool", "pprof", "-top", "-symbolize=none", f"-sample_index={name}", f"-unit={UNITS[unit]}", "-nodecount=10000000",
               "-nodefraction=0", "-edgefraction=0", f"-base={before}", str(after)]
    made = subprocess.run(command, capture_output=True)
    if made.returncode:
        return None
    lines, found = made.stdout.split(b"\n"), {}
    start = next(at for at, line in enumerate(lines) if line.split()[:2] == [b"flat", b"flat%"])
    for line in lines[start + 1:]:
        cells = line.split(None, 5)
        if len(cells) < 6:
            continue
        text = re.sub(rb" \((partial-)?inline\)$", b"", cells[5])
        flat, cum = (int(float(re.sub(rb"[a-zA-Z]+$", b"", cells[at]))) for at in (0, 3))
        found[text] = (flat, cum)
    text = b"".join(sorted(name + b"\t%d\t%d\n" % pair for name, pair in found.items()))
    return {"rows": len(found), "sha256": hashlib.sha256(text).hexdigest()}


def main():
    made = []
    pairs = {(pair["before"], pair["after"], pair["sample_type"], pair["unit"])
             for pair in json.loads((SAMPLES / "expected.json").read_text())["pairs"] if pair["before"].startswith("pprof/")}
    for before, after, name, unit in sorted(pairs):
        made.append({"in": "samples", "before": before, "after": after, "sample_type": name, "unit": unit,
                     **rows(SAMPLES / before, SAMPLES / after, name, unit)})
    truths = {name for file in json.loads((CORPUS / "MANIFEST.json").read_text())["files"] for name in file.get("diff_truth") or []}
    for truth in sorted(truths):
        truth = json.loads((CORPUS / truth).read_text())
        for kind in truth.get("types") or {}:
            name, unit = kind.split("/", 1)
            if unit not in UNITS:
                continue
            found = rows(CORPUS / truth["before"], CORPUS / truth["after"], name, unit)
            if found:
                made.append({"in": "corpus", "before": truth["before"], "after": truth["after"], "sample_type": name, "unit": unit, **found})
    version = subprocess.run(["go", "version"], capture_output=True, text=True).stdout.split()[2]
    text = ",\n".join(" " + json.dumps(row) for row in made)
    (pathlib.Path(__file__).parent / "rows.json").write_text(f'{{"tool": "go tool pprof of {version}", "pairs": [\n{text}\n]}}\n')


main()
