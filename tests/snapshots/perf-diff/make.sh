#!/bin/sh
# Writes every table beside it: `perf diff` of perf 6.1 with the formula of each row (-F), which holds both values and both totals exactly.
# make.sh SAMPLE_PROFILES [CORPUS]: the folder of samples, and that of real captures. The first line of each table is its command.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
samples=$(cd "$1" && pwd)

table() { # file, folder, then what follows `perf diff -F -o 1`
    file=$here/$1.txt
    cd "$2"
    shift 2
    echo "# perf diff -F -o 1 $*" > "$file"
    perf diff -F -o 1 "$@" 2> /dev/null | sed 's/ *$//' | grep . >> "$file"
}

all() { # name, folder, sort key, before, after
    name=$1 folder=$2 keys=$3
    shift 3
    for compute in delta ratio wdiff:1,1; do
        table "$name-${compute%%:*}" "$folder" -c $compute -s "$keys" "$@"
    done
}

data=perf-data/$(perf --version | cut -d' ' -f3)
all indexer "$samples" sym --symfs sysroot $data/indexer-before.perf.data $data/indexer-after.perf.data
all indexer-unchanged "$samples" sym --symfs sysroot $data/indexer-unchanged-1.perf.data $data/indexer-unchanged-2.perf.data
[ $# -gt 1 ] || exit 0
corpus=$(cd "$2" && pwd)
all xz-level "$corpus" dso captured/perf-data/xz-level1-fp.perf.data captured/perf-data/xz-level4-fp.perf.data
all switch-output "$corpus" dso captured/perf-data/switch-output.0.perf.data captured/perf-data/switch-output.1.perf.data
old=third-party/perf-data/perf_data_converter
all busy-systemwide "$corpus" dso $old/perf.data.busy.0-3.4 $old/perf.data.systemwide.0-3.4
all callgraph-singleprocess "$corpus" dso $old/perf.data.callgraph-3.4 $old/perf.data.singleprocess-3.4
all vector "$corpus" dso third-party/perf-data/perfparser/vector_static_gcc.perf.data third-party/perf-data/perfparser/vector_static_gcc.zstd.perf.data
