"""Writes ../expected.json: for every pair of captures the function that was made worse, and its value on both sides as
`go tool pprof -top`, `jfr print` and plain sums over `perf script` text or folded text give it. No code of Emberlens takes part."""
import gzip
import json
import pathlib
import re
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
DISCOUNT = "orders/internal/pricing.(*Engine).Discount"


def pprof_value(path, sample_type, unit, function, measure):
    command = ["go", "tool", "pprof", "-top", "-symbolize=none", f"-sample_index={sample_type}", f"-unit={unit}",
               "-nodecount=1000000", "-nodefraction=0", "-edgefraction=0", str(ROOT / path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        cells = re.sub(r" \((partial-)?inline\)$", "", line).split(None, 5)
        if len(cells) == 6 and cells[5] == function:
            return int(float(cells[0 if measure == "self" else 3].removesuffix(unit)))
    return 0


def script_value(path, function, measure):
    total, frames, period = 0, [], 0
    for line in [*(ROOT / path).read_text().splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line:
            hit = function in frames[:1] if measure == "self" else function in frames
            total += period if hit else 0
            frames, period = [], 0
        elif line[0].isspace():
            frames.append(line.split()[1].split("+0x")[0])
        else:
            period = int(line.split(": ")[1].split()[0])
    return total


def data_value(path, function):
    command = ["perf", "report", "-i", str(ROOT / path), "--symfs", str(ROOT / "sysroot"), "--no-children", "-g", "none", "-F", "period,sym",
               "-s", "sym", "--stdio", "-q"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return sum(int(line.split()[0]) for line in text.splitlines() if line.split()[-1:] == [function])


def folded_value(path, function, measure):
    total = 0
    for line in (ROOT / path).read_text().splitlines():
        stack, count = line.rsplit(" ", 1)
        frames = stack.split(";")
        total += int(count) if function in (frames[-1:] if measure == "self" else frames) else 0
    return total


def speedscope_value(path, function):
    file = json.loads((ROOT / path).read_text())
    names = [frame["name"] for frame in file["shared"]["frames"]]
    return sum(round(weight * 1e9) for profile in file["profiles"]
               for stack, weight in zip(profile["samples"], profile["weights"]) if stack and names[stack[-1]] == function)


def v8_value(path, function):
    file = json.loads((ROOT / path).read_text())
    names = {node["id"]: node["callFrame"]["functionName"] for node in file["nodes"]}
    times, time = [], file["startTime"]
    for delta in file["timeDeltas"]:
        time += delta
        times.append(time)
    ends = times[1:] + [file["endTime"]]
    return sum((end - time) * 1000 for node, time, end in zip(file["samples"], times, ends) if names[node] == function)


def callgrind_value(path, function):
    text = subprocess.run(["callgrind_annotate", "--threshold=100", str(ROOT / path)], check=True, capture_output=True, text=True).stdout
    return sum(int(line.split()[0].replace(",", "")) for line in text.splitlines() if f":{function} [" in line)


def jfr_value(path, function):
    """Samples with the function in their stack, each of which stands for the interval of the recording (10 ms) of processor time."""
    with tempfile.NamedTemporaryFile(suffix=".jfr") as plain:
        plain.write(gzip.decompress((ROOT / path).read_bytes()))
        plain.flush()
        text = subprocess.run(["jfr", "print", "--json", "--stack-depth", "1000", "--events", "jdk.ExecutionSample", plain.name],
                              check=True, capture_output=True, text=True).stdout
    stacks = [event["values"]["stackTrace"]["frames"] for event in json.loads(text)["recording"]["events"]]
    names = [{frame["method"]["type"]["name"] + "." + frame["method"]["name"] for frame in stack} for stack in stacks]
    return sum(function in stack for stack in names) * 10_000_000


def main():
    pairs = []

    def pair(name, before, after, sample_type, unit, function, measure, value, direction="up"):
        pairs.append({
            "name": name, "before": before, "after": after, "sample_type": sample_type, "unit": unit,
            "function": function, "measure": measure, "direction": direction,
            "before_value": value(before), "after_value": value(after),
        })

    def go(kind, sample_type, unit, measure, second="after", direction="up"):
        folder = next((ROOT / "pprof").iterdir()).relative_to(ROOT)
        short = {"nanoseconds": "ns", "bytes": "B", "count": "count"}[unit]
        name = f"orders-{kind}-{sample_type}" + ("" if direction == "up" else "-no-change")
        pair(name, f"{folder}/orders-{kind}-before.pb.gz", f"{folder}/orders-{kind}-{second}.pb.gz", sample_type, unit,
             DISCOUNT, measure, lambda path: pprof_value(path, sample_type, short, DISCOUNT, measure), direction)

    go("cpu", "cpu", "nanoseconds", "total")
    go("cpu", "cpu", "nanoseconds", "self")
    pairs[-1]["name"] += "-self"
    go("heap", "alloc_space", "bytes", "self")
    go("heap", "alloc_objects", "count", "self")
    go("heap", "inuse_space", "bytes", "self")
    go("allocs", "alloc_space", "bytes", "self")
    go("heap-delta", "alloc_space", "bytes", "self")
    go("mutex", "delay", "nanoseconds", "total")
    go("mutex", "contentions", "count", "total")
    go("block", "delay", "nanoseconds", "total")
    go("block", "contentions", "count", "total")
    go("cpu", "cpu", "nanoseconds", "total", "before-2", "none")
    go("heap", "alloc_space", "bytes", "self", "before-2", "none")
    go("mutex", "delay", "nanoseconds", "total", "before-2", "none")
    go("block", "delay", "nanoseconds", "total", "before-2", "none")

    script = next((ROOT / "perf-script").iterdir()).relative_to(ROOT)
    data = next((ROOT / "perf-data").iterdir()).relative_to(ROOT)

    def text_of(path):
        return path.replace("perf-data/", "perf-script/").replace(".perf.data", ".txt")

    for folder, ending, kind in ((data, ".perf.data", "perf-data"), (script, ".txt", "perf-script")):
        pair(f"indexer-{kind}", f"{folder}/indexer-before{ending}", f"{folder}/indexer-after{ending}", "cpu-clock:u",
             "nanoseconds", "find_term", "self", lambda path: script_value(text_of(path), "find_term", "self"))
    # Two more runs of the program before, one after the other, on a machine that did much else.
    runs = [f"{data}/indexer-unchanged-{number}.perf.data" for number in (1, 2)]
    pair("indexer-perf-data-no-change", *runs, "cpu-clock:u", "nanoseconds", "find_term", "self", lambda path: data_value(path, "find_term"), "none")
    for tool, program, function in (("perf", "indexer", "find_term"), ("py-spy", "report", "remember (report.py:26)")):
        folder = next((ROOT / "folded").glob(f"{tool}-*")).relative_to(ROOT)
        pair(f"{program}-folded", f"{folder}/{program}-before.folded", f"{folder}/{program}-after.folded", None, None,
             function, "self", lambda path, function=function: folded_value(path, function, "self"))
    folder = next((ROOT / "speedscope").glob("py-spy-*")).relative_to(ROOT)
    pair("report-speedscope", f"{folder}/report-before.speedscope.json", f"{folder}/report-after.speedscope.json", "time", "nanoseconds",
         "remember", "self", lambda path: speedscope_value(path, "remember"))
    folder = next((ROOT / "cpuprofile").glob("node-*")).relative_to(ROOT)
    pair("report-cpuprofile", f"{folder}/report-before.cpuprofile", f"{folder}/report-after.cpuprofile", "cpu", "nanoseconds",
         "remember", "self", lambda path: v8_value(path, "remember"))
    folder = next((ROOT / "callgrind").glob("valgrind-*")).relative_to(ROOT)
    pair("indexer-callgrind", f"{folder}/indexer-before.callgrind", f"{folder}/indexer-after.callgrind", "Ir", "count",
         "find_term", "self", lambda path: callgrind_value(path, "find_term"))
    folder = next((ROOT / "jfr").glob("openjdk-*")).relative_to(ROOT)
    pair("orders-jfr", f"{folder}/orders-before.jfr.gz", f"{folder}/orders-after.jfr.gz", "cpu", "nanoseconds",
         "Orders.price", "total", lambda path: jfr_value(path, "Orders.price"))
    # series.py writes the part about the series.
    expected = ROOT / "expected.json"
    series = json.loads(expected.read_text()).get("series") if expected.exists() else None
    expected.write_text(json.dumps({"schema": 1, "pairs": pairs} | ({"series": series} if series else {}), indent=1) + "\n")


main()
