"""Turns `perf script` text on stdin into folded stacks on stdout: command first, then frames from the root, then the
number of samples. Reads only what capture.sh asks perf to print (command, pid, time, event, then one frame a line)."""
import collections
import re
import sys

HEADER = re.compile(r"^(\S.*?)\s+\d+(?:/\d+)?\s")
FRAME = re.compile(r"^\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)? \(.*?\)(?: \(inlined\))?$")


def main():
    counts = collections.Counter()
    command, frames = None, []
    for line in [*sys.stdin, "\n"]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if command is not None:
                counts[";".join([command, *reversed(frames)])] += 1
            command, frames = None, []
        elif line[0].isspace():
            found = FRAME.match(line)
            frames.append(found.group(1) if found else "[unknown]")
        else:
            command = HEADER.match(line).group(1)
    for stack in sorted(counts):
        print(stack, counts[stack])


main()
