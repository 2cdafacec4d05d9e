"""Writes small files of formats whose recorders do not run everywhere, by their published definitions: the same six samples of a made-up
program, so that every reader can be held against every other.

    neighbours.py FOLDER          (needs: pip install opentelemetry-proto)
"""
import json
import pathlib
import sys

# Outermost function first: (name, file, line), weight in ms, thread, time in ms.
MAIN, PARSE, PACK, HASH = ("main", "app.c", 3), ("parse", "parse.c", 10), ("pack", "pack.c", 40), ("hash", "pack.c", 7)
SAMPLES = [
    ([MAIN, PARSE], 2, 1, 0), ([MAIN, PACK, HASH], 3, 1, 2), ([MAIN, PACK, HASH], 3, 1, 5),
    ([MAIN, PACK], 1, 1, 8), ([MAIN], 1, 1, 9), ([PACK, HASH], 4, 2, 1),
]
FUNCTIONS = [MAIN, PARSE, PACK, HASH]


def tables(samples):
    """Stack rows (function, caller's row or None) and the row of each sample."""
    rows, of = [], []
    for frames, *_ in samples:
        at = None
        for frame in frames:
            key = (FUNCTIONS.index(frame), at)
            if key not in rows:
                rows.append(key)
            at = rows.index(key)
        of.append(at)
    return rows, of


def processed(version):
    """A processed profile of the Firefox Profiler as that version writes it."""
    names = [name for name, *_ in FUNCTIONS]
    files = sorted({file for _, file, _ in FUNCTIONS})
    strings = names + files + ["app"]
    count = len(FUNCTIONS)
    threads, shared_rows = [], tables(SAMPLES)[0]
    source = {"fileName": [len(names) + files.index(file) for _, file, _ in FUNCTIONS]} if version < 58 else \
        {"source": [files.index(file) for _, file, _ in FUNCTIONS]}
    common = {
        "frameTable": {"address": [-1] * count, "inlineDepth": [0] * count, "category": [0, 0, 0, 1], "subcategory": [0] * count,
                       "func": list(range(count)), "nativeSymbol": [None] * count, "innerWindowID": [None] * count,
                       "line": [line for *_, line in FUNCTIONS], "column": [None] * count, "length": count},
        "funcTable": {"name": list(range(count)), "isJS": [False] * count, "relevantForJS": [False] * count,
                      "resource": [0] * count, **source, "lineNumber": [None] * count, "columnNumber": [None] * count, "length": count},
        "resourceTable": {"lib": [0], "name": [len(strings) - 1], "host": [None], "type": [1], "length": 1},
        "nativeSymbols": {"libIndex": [], "address": [], "name": [], "functionSize": [], "length": 0},
    }
    for tid in (1, 2):
        own = [sample for sample in SAMPLES if sample[2] == tid]
        rows, of = tables(own) if version < 60 else (shared_rows, [tables(SAMPLES)[1][SAMPLES.index(sample)] for sample in own])
        times = [float(time) for *_, time in own]
        time = {"time": times} if version < 50 else {"timeDeltas": [b - a for a, b in zip([0.0] + times, times)]}
        threads.append({
            "name": "main" if tid == 1 else "worker", "isMainThread": tid == 1, "processName": "app", "processType": "default",
            "pid": 7 if version < 47 else "7", "tid": tid, "registerTime": 0.0, "unregisterTime": None,
            "markers": {"name": [], "data": [], "startTime": [], "endTime": [], "phase": [], "category": [], "length": 0},
            "samples": {"stack": of, **time, "weight": None, "weightType": "samples",
                        "threadCPUDelta": [weight * 1000 for _, weight, *_ in own], "length": len(own)},
        })
        stacks = {"frame": [frame for frame, _ in rows], "prefix": [caller for _, caller in rows], "length": len(rows)}
        if version < 60:
            threads[-1] |= {**common, "stackTable": stacks}
        if version < 56:
            threads[-1]["stringArray"] = strings
    lib = {"name": "app", "path": "/opt/app", "debugName": "app", "debugPath": "/opt/app", "breakpadId": "0" * 33,
           "codeId": "00112233445566778899aabbccddeeff00112233", "arch": None}
    file = {
        "meta": {"interval": 1.0, "startTime": 1700000000000.0, "processType": 0, "product": "app", "stackwalk": 1, "version": 27,
                 "preprocessedProfileVersion": version, "symbolicated": True, "markerSchema": [],
                 "categories": [{"name": "Other", "color": "grey", "subcategories": ["Other"]},
                                {"name": "User", "color": "yellow", "subcategories": ["Other"]}],
                 "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "µs"}},
        "libs": [lib], "pages": [], "counters": [], "threads": threads,
    }
    if version >= 56:
        file["shared"] = {"stringArray": strings}
    if version >= 58:
        file["shared"]["sources"] = {"filename": [len(names) + at for at in range(len(files))], "uuid": [None] * len(files), "length": len(files)}
    if version >= 60:
        back = [0 if caller is None else row - caller for row, (_, caller) in enumerate(shared_rows)]
        file["shared"] |= {**common, "stackTable": {"frame": [frame for frame, _ in shared_rows], "prefixOffset": back, "length": len(shared_rows)}}
    return file


def raw():
    """A raw Gecko profile: functions of the library by address, one thread in a second process."""
    def process(tid, start):
        own = [sample for sample in SAMPLES if sample[2] == tid]
        rows, of = tables(own)
        strings = [hex(0x400000 + 0x100 * at + 8) if at else "main" for at in range(len(FUNCTIONS))]
        return {
            "meta": {"version": 31, "interval": 1.0, "startTime": start, "processType": 0, "product": "app", "stackwalk": 1,
                     "sampleUnits": {"time": "ms", "eventDelay": "ms", "threadCPUDelta": "ns"},
                     "categories": [{"name": "Other", "color": "grey", "subcategories": ["Other"]}]},
            "libs": [{"start": 0x400000, "end": 0x410000, "offset": 0, "name": "app", "path": "/opt/app", "debugName": "app",
                      "debugPath": "/opt/app", "breakpadId": "0" * 33, "codeId": None}],
            "threads": [{
                "name": "GeckoMain", "processType": "default", "processName": "app", "pid": 7 + tid, "tid": tid,
                "registerTime": 0.0, "unregisterTime": None,
                "samples": {"schema": {"stack": 0, "time": 1, "eventDelay": 2, "threadCPUDelta": 3},
                            "data": [[row, float(sample[3]), 0.0, sample[1] * 1000000] for row, sample in zip(of, own)]},
                "markers": {"schema": {"name": 0, "startTime": 1, "endTime": 2, "phase": 3, "category": 4, "data": 5},
                            "data": [[0, 1.0, None, 0, 0]]},
                "stackTable": {"schema": {"prefix": 0, "frame": 1}, "data": [[caller, frame] for frame, caller in rows]},
                "frameTable": {"schema": {"location": 0, "relevantForJS": 1, "innerWindowID": 2, "implementation": 3, "line": 4,
                                          "column": 5, "category": 6, "subcategory": 7},
                               "data": [[at, False, 0, None, None, None, 0, 0] for at in range(len(FUNCTIONS))]},
                "stringTable": strings,
            }],
            "pausedRanges": [], "processes": [],
        }
    file = process(1, 1700000000000.0)
    file["processes"] = [process(2, 1700000000100.0)]
    return file


def otlp():
    from opentelemetry.proto.profiles.v1development import profiles_pb2 as proto

    data = proto.ProfilesData()
    table = data.dictionary
    strings = [""]

    def text(value):
        if value not in strings:
            strings.append(value)
        return strings.index(value)

    for rows in (table.mapping_table, table.location_table, table.function_table, table.link_table, table.attribute_table, table.stack_table):
        rows.add()
    table.mapping_table.add(memory_start=0x400000, memory_limit=0x410000, filename_strindex=text("/opt/app"))
    for at, (name, file, line) in enumerate(FUNCTIONS):
        table.function_table.add(name_strindex=text(name), filename_strindex=text(file))
        location = table.location_table.add(mapping_index=1, address=0x400008 + 0x100 * at)
        location.lines.add(function_index=at + 1, line=line)
    attributes = {}
    for key, value in (("process.pid", 7), ("thread.name", "main"), ("thread.name", "worker"), ("thread.id", 1), ("thread.id", 2)):
        attribute = table.attribute_table.add(key_strindex=text(key))
        setattr(attribute.value, "int_value" if isinstance(value, int) else "string_value", value)
        attributes[key, value] = len(table.attribute_table) - 1
    link = table.link_table.add(trace_id=bytes(range(16)), span_id=bytes(range(8)))
    assert link
    stacks = []
    resource = data.resource_profiles.add()
    pair = resource.resource.attributes.add(key="service.name")
    pair.value.string_value = "app"
    scope = resource.scope_profiles.add()
    for kind, unit, scale in (("samples", "count", None), ("cpu", "nanoseconds", 1000000)):
        profile = scope.profiles.add(time_unix_nano=1700000000 * 10**9, duration_nano=10**7, period=10**6)
        profile.sample_type.type_strindex, profile.sample_type.unit_strindex = text(kind), text(unit)
        profile.period_type.type_strindex, profile.period_type.unit_strindex = text("cpu"), text("nanoseconds")
        for frames, weight, tid, time in SAMPLES:
            key = tuple(FUNCTIONS.index(frame) + 1 for frame in reversed(frames))
            if key not in stacks:
                stacks.append(key)
                table.stack_table.add(location_indices=key)
            sample = profile.samples.add(stack_index=stacks.index(key) + 1, link_index=1 if tid == 2 else 0)
            sample.attribute_indices.extend([attributes["process.pid", 7], attributes["thread.name", "main" if tid == 1 else "worker"],
                                             attributes["thread.id", tid]])
            sample.timestamps_unix_nano.append(1700000000 * 10**9 + time * 1000000)
            if scale:
                sample.values.append(weight * scale)
    table.string_table.extend(strings)
    return data


def main():
    folder = pathlib.Path(sys.argv[1])
    firefox = folder / "firefox/by-definition"
    firefox.mkdir(parents=True, exist_ok=True)
    for version in (41, 56, 60):
        (firefox / f"processed-{version}.json").write_text(json.dumps(processed(version), separators=(",", ":")) + "\n")
    (firefox / "gecko-31.json").write_text(json.dumps(raw(), separators=(",", ":")) + "\n")
    one = folder / "otlp/opentelemetry-proto-1.9"
    one.mkdir(parents=True, exist_ok=True)
    from google.protobuf import json_format

    (one / "app.otlp").write_bytes(otlp().SerializeToString())
    (one / "app.otlp.json").write_text(json_format.MessageToJson(otlp(), indent=None) + "\n")


main()
