"""What the JDK's own `jfr print` says of flight recordings: for each kind of event their number, their sum, and self and total of each function
and self of each line.

    make.py FILE.jfr[.gz]…        (needs the JDK's `jfr`; writes NAME.json beside this script)
"""
import collections
import gzip
import json
import pathlib
import re
import subprocess
import sys
import tempfile

EVENTS = ["jdk.ExecutionSample", "jdk.ObjectAllocationSample", "jdk.JavaMonitorEnter", "jdk.ThreadSleep", "jdk.ThreadPark"]


def class_name(name):
    """As in Java; what the JVM puts behind the names of hidden classes stays."""
    head, *number = re.split(r"(?=[+/]0x)", name, maxsplit=1)
    return head.replace("/", ".") + "".join(number)


def value(event, values):
    if event == "jdk.ObjectAllocationSample":
        return values["weight"]
    if "duration" in values:
        seconds = re.fullmatch(r"PT(?:(\d+)M)?([\d.]+)S", values["duration"])
        whole, _, part = seconds[2].partition(".")
        return int(seconds[1] or 0) * 60 * 10**9 + int(whole) * 10**9 + int(part.ljust(9, "0"))
    return 1


def truth(path):
    text = subprocess.run(["jfr", "print", "--json", "--stack-depth", "1000", "--events", ",".join(EVENTS), path],
                          check=True, capture_output=True, text=True).stdout
    made = {}
    for event in json.loads(text)["recording"]["events"]:
        name, values = event["type"], event["values"]
        of = made.setdefault(name, {"count": 0, "sum": 0, "stackless": 0, "self": collections.Counter(), "total": collections.Counter(),
                                    "lines": collections.Counter()})
        of["count"] += 1
        of["sum"] += value(name, values)
        frames = (values["stackTrace"] or {"frames": []})["frames"]
        if not frames:
            of["stackless"] += 1
            continue
        called = [(class_name(frame["method"]["type"]["name"]) + "." + frame["method"]["name"]).lstrip(".") for frame in frames]
        of["self"][called[0]] += value(name, values)
        of["lines"][f"{called[0]}:{max(frames[0]['lineNumber'], 0)}"] += value(name, values)
        for function in set(called):
            of["total"][function] += value(name, values)
    return made


for file in map(pathlib.Path, sys.argv[1:]):
    with tempfile.NamedTemporaryFile(suffix=".jfr") as plain:
        plain.write(gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes())
        plain.flush()
        target = pathlib.Path(__file__).parent / (file.name.split(".")[0] + ".json")
        target.write_text(json.dumps(truth(plain.name), indent=0, sort_keys=True) + "\n")
