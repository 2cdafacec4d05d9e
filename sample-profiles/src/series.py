"""Writes the part "series" of ../expected.json: series.py RAW SLIM, the folder that series.sh captured into and that of the slim profiles.

For each run what it did and what it took by getrusage, and what `go tool pprof -top` says of the total; for each slowdown what it costs by
TestTruth, and the function. No code of Emberlens takes part."""
import json
import pathlib
import re
import subprocess
import sys

RAW, OUT = map(pathlib.Path, sys.argv[1:3])
ROOT = pathlib.Path(__file__).resolve().parent.parent
FUNCTIONS = {
    "pricing.Score": "shop/internal/pricing.(*Engine).Score", "session.Sign": "shop/internal/session.(*Signer).Sign",
    "stock.Reserve": "shop/internal/stock.(*Stock).Reserve", "receipt.Render": "shop/internal/receipt.(*Printer).Render",
    "search.Rank": "shop/internal/search.(*Index).Rank", "search.Match": "shop/internal/search.(*Index).Match",
    "report.Pack": "shop/internal/report.(*Packer).Pack", "tax.Rate": "shop/internal/tax.(*Table).Rate",
    "codec.Decode": "shop/internal/codec.(*Decoder).Decode",
}


def total(path):
    command = ["go", "tool", "pprof", "-top", "-symbolize=none", "-sample_index=cpu", "-unit=ns", "-nodecount=1", str(path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(float(re.search(r" of ([0-9.e+]+)ns total", text).group(1)))


def main():
    runs = []
    for path in sorted(RAW.glob("*.json"), key=lambda path: (path.stem.rsplit("-", 1)[0], int(path.stem.rsplit("-", 1)[1]))):
        said = json.loads(path.read_text())
        group = path.stem.rsplit("-", 1)[0]
        runs.append({"name": path.stem, "group": group, "cost": said["cost"], "requests": said["requests"],
                     "cpu_nanos": said["cpu_nanos"], "wall_nanos": said["wall_nanos"], "total": total(OUT / f"{path.stem}.pb")})
    truth = []
    for line in (RAW / "truth.jsonl").read_text().splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            name, percent = row["cost"].split("=")
            group = next(run["group"] for run in runs if run["cost"] == row["cost"])
            truth.append({"group": group, "function": FUNCTIONS[name], "work": int(percent) / 100, **row})
    expected = ROOT / "expected.json"
    made = json.loads(expected.read_text())
    made["series"] = {"runs": runs, "slowdowns": truth}
    expected.write_text(json.dumps(made, indent=1) + "\n")


main()
