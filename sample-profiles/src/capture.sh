#!/bin/sh
# Makes every file of sample-profiles/ again: capture.sh [go] [perf] [python] [neighbour], default all four.
#
# Wants Linux on x86-64, root (perf, py-spy, nice), go, gcc, perf, curl, python3, py-spy, node and valgrind on PATH. Programs run from
# /opt/emberlens-samples, because profiles keep the path of the program. perf sees the host name "sample-host" and every
# profiled program an empty environment, so that the files tell nothing about the machine but kernel release and CPU.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")
run=/opt/emberlens-samples
mkdir -p $run/before $run/after $run/tools

# ---- Go: pprof ----
rate=2000 seconds=20 url=http://127.0.0.1:18080

start_service() { # variant, flags…: starts ordersd and warms it up with 4,000 requests
    variant=$1
    shift
    (cd $run && exec nice -n -10 env -i "$variant/ordersd" "$@") &
    service=$!
    sleep 1
    nice -n -10 $run/tools/ordersload -rate $rate -n 4000 -seed 7
}

stop_service() {
    kill $service
    wait $service 2> /dev/null || true
}

fetch() { # profile, file name
    curl -sSf -o "$pprof/orders-$2.pb.gz" "$url/debug/pprof/$1"
}

capture_go() { # variant, suffix
    # CPU, with nothing else switched on.
    start_service "$1"
    nice -n -10 $run/tools/ordersload -rate $rate -n $((rate * seconds)) -seed 1 &
    load=$!
    fetch "profile?seconds=$seconds" "cpu-$2"
    wait $load
    stop_service
    # Everything that counts from the start of the process, after the same requests.
    start_service "$1" -mutex-fraction 5 -block-rate 10000
    nice -n -10 $run/tools/ordersload -rate $rate -n $((rate * seconds)) -seed 1
    for kind in heap allocs mutex block goroutine threadcreate; do
        fetch $kind $kind-"$2"
    done
    # The change of the heap profile over 5 s in the middle of 8 s of load.
    nice -n -10 $run/tools/ordersload -rate $rate -n $((rate * 8)) -seed 2 &
    load=$!
    sleep 1
    fetch "heap?seconds=5" "heap-delta-$2"
    wait $load
    curl -sS $url/counters
    stop_service
}

go_samples() {
    pprof=$out/pprof/$(go env GOVERSION)
    mkdir -p "$pprof"
    cd "$here/orders"
    export CGO_ENABLED=0
    go build -trimpath -buildvcs=false -o $run/before/ordersd ./cmd/ordersd
    go build -trimpath -buildvcs=false -tags after -o $run/after/ordersd ./cmd/ordersd
    go build -trimpath -buildvcs=false -o $run/tools/ordersload ./cmd/ordersload
    capture_go before before
    capture_go after after
    capture_go before before-2
    # The repeat is for "no change" tests; kinds without such a test are not kept.
    rm "$pprof"/orders-goroutine-before-2.pb.gz "$pprof"/orders-threadcreate-before-2.pb.gz \
        "$pprof"/orders-allocs-before-2.pb.gz "$pprof"/orders-heap-delta-before-2.pb.gz
}

# ---- Go: text profiles of a program that waits in many ways ----
forms_samples() {
    text=$out/go-text/$(go env GOVERSION)
    mkdir -p "$text"
    cd "$here/forms"
    CGO_ENABLED=0 go build -trimpath -buildvcs=false -o $run/tools/forms .
    env -i $run/tools/forms "$text"
    env -i $run/tools/forms panic 2> "$text/forms-panic.txt" || true
}

# ---- C: perf.data, perf script text, folded stacks ----
documents=3500 frequency=149

record() { # perf record's options…, then -- and the program
    (cd $run && unshare --uts sh -c 'hostname sample-host && exec nice -n -10 env -i "$@"' sh \
        "$(command -v perf)" record -q -N -F $frequency -g "$@" "$documents" > "${pipe:-/dev/null}")
}

perf_samples() {
    version=$(perf --version | cut -d' ' -f3)
    data=$out/perf-data/$version script=$out/perf-script/$version folded=$out/folded/perf-$version
    sysroot=$out/sysroot$run
    mkdir -p "$data" "$script" "$folded" "$sysroot/before" "$sysroot/after"
    cd "$here/indexer"
    for variant in before after; do
        define=
        if [ $variant = after ]; then define=-DAFTER; fi
        gcc -Wall -Wextra -O2 -g -fno-omit-frame-pointer -fno-inline-functions -fno-optimize-sibling-calls \
            -fno-ipa-sra -fno-stack-protector -fno-tree-loop-distribute-patterns -ffreestanding -nostdlib -static \
            -ffile-prefix-map="$PWD"=/src -Wl,--build-id $define -o $run/$variant/indexer indexer.c
        cp $run/$variant/indexer "$sysroot/$variant/indexer"
        record -e cpu-clock:u -o indexer.perf.data -- $run/$variant/indexer
        mv $run/indexer.perf.data "$data/indexer-$variant.perf.data"
        (cd "$data" && perf script --header -i indexer-$variant.perf.data) > "$script/indexer-$variant.txt"
        python3 "$here/fold.py" < "$script/indexer-$variant.txt" > "$folded/indexer-$variant.folded"
    done
    record -e cpu-clock:u -z -o indexer.perf.data -- $run/before/indexer
    mv $run/indexer.perf.data "$data/indexer-before-zstd.perf.data"
    record -e cpu-clock,page-faults -o indexer.perf.data -- $run/before/indexer
    mv $run/indexer.perf.data "$data/indexer-before-events.perf.data"
    (cd "$data" && perf script --header -i indexer-before-events.perf.data) > "$script/indexer-before-events.txt"
    # The program's own line of output would end up in the pipe too, so it goes elsewhere.
    pipe=$data/indexer-before-pipe.perf.data
    record -e cpu-clock:u -o - -- sh -c "exec $run/before/indexer \$0 >&2" 2> /dev/null
    pipe=
    sleeps="for i in 1 2 3; do sleep 0.05; done"
    env -i PATH=/usr/bin:/bin perf record -e context-switches -c 1 --switch-events -g -o $run/sleeps.perf.data -- sh -c "$sleeps"
    mv $run/sleeps.perf.data "$data/sleeps-switches.perf.data"
    env -i PATH=/usr/bin:/bin perf record -e sched:sched_switch -g --all-cgroups -o $run/sleeps.perf.data -- sh -c "$sleeps"
    mv $run/sleeps.perf.data "$data/sleeps-tracepoint.perf.data"
    # What other readers lose: counting groups, tracepoints in pipes; and counter values and namespaces beside samples.
    trap="unshare --uts sh -c 'hostname sample-host && exec env -i PATH=/usr/bin:/bin \"\$@\"' sh $(command -v perf) record -q"
    loop='i=0; while [ $i -lt 9000 ]; do i=$((i+1)); x="$x$i"; done'
    eval "$trap" -e "'{cpu-clock,page-faults}:S'" -F 97 -o $run/trap.perf.data -- sh -c "'$loop'"
    mv $run/trap.perf.data "$data/loop-group.perf.data"
    eval "$trap" -e sched:sched_switch -g -o - -- sh -c "'$sleeps'" > "$data/sleeps-tracepoint-pipe.perf.data"
    eval "$trap" -s --namespaces -e cpu-clock,page-faults -F 997 -o $run/trap.perf.data -- \
        sh -c "'$sleeps; unshare --uts --ipc sleep 0.02'"
    mv $run/trap.perf.data "$data/sleeps-counted.perf.data"
    # Copies of stacks instead of call chains; a rate at which the file stays small.
    cd "$here/stacks"
    mkdir -p $run/stacks "$sysroot/stacks"
    gcc -Wall -Wextra -O2 -fomit-frame-pointer -fasynchronous-unwind-tables -fno-stack-protector -ffreestanding -nostdlib -static \
        -Wl,--build-id -Wl,--eh-frame-hdr -Wl,-z,norelro -Wl,-z,noseparate-code -o $run/stacks/stacks stacks.c
    cp $run/stacks/stacks "$sysroot/stacks/stacks"
    (cd $run && unshare --uts sh -c 'hostname sample-host && exec nice -n -10 env -i "$@"' sh "$(command -v perf)" record -q -N -F 47 \
        -e cpu-clock:u --call-graph dwarf,4096 -o stacks.perf.data -- $run/stacks/stacks)
    mv $run/stacks.perf.data "$data/stacks-dwarf.perf.data"
    (cd "$data" && perf script --header -i stacks-dwarf.perf.data) > "$script/stacks-dwarf.txt"
    chmod 644 "$data"/*
}

# ---- Python: folded stacks ----
python_samples() {
    folded=$out/folded/py-spy-$(py-spy --version | cut -d' ' -f2)
    mkdir -p "$folded"
    cp "$here/report/report.py" $run/
    for variant in before after; do
        (cd $run && nice -n -10 env -i "$(command -v py-spy)" record -f raw --function -r 100 -o report.folded -- \
            "$(python3 -c 'import sys; print(sys.executable)')" report.py $variant)
        mv $run/report.folded "$folded/report-$variant.folded"
    done
}

# ---- What other tools write ----
neighbour_samples() {
    speedscope=$out/speedscope/py-spy-$(py-spy --version | cut -d' ' -f2) v8=$out/cpuprofile/node-$(node --version | tr -d v)
    mkdir -p "$speedscope" "$v8"
    cp "$here/report/report.py" "$here/report/report.js" $run/
    for variant in before after; do
        (cd $run && env -i "$(command -v py-spy)" record -f speedscope -r 250 -o report.speedscope.json -- \
            /usr/bin/python3 -I -S report.py $variant 400000)
        mv $run/report.speedscope.json "$speedscope/report-$variant.speedscope.json"
        (cd $run && env -i node --cpu-prof --cpu-prof-interval 4000 --cpu-prof-name report.cpuprofile report.js $variant)
        mv $run/report.cpuprofile "$v8/report-$variant.cpuprofile"
    done
    (cd $run && env -i node --heap-prof --heap-prof-interval 8192 --heap-prof-name report.heapprofile report.js before)
    mv $run/report.heapprofile "$v8/report.heapprofile"
    chmod 644 "$v8"/*
    trace=$out/chrome-trace/${v8##*/}
    mkdir -p "$trace"
    (cd $run && env -i node --trace-event-categories v8,node.perf --trace-event-file-pattern report.trace report.js before)
    mv $run/report.trace "$trace/report.trace"
    chmod 644 "$trace"/*
    python3 "$here/neighbours.py" "$out"
    callgrind=$out/callgrind/$(valgrind --version)
    mkdir -p "$callgrind"
    cp -r "$out/sysroot$run/." $run/
    for variant in before after; do
        (cd $run && env -i "$(command -v valgrind)" --tool=callgrind --dump-instr=no --cache-sim=yes --callgrind-out-file=callgrind.out \
            $variant/indexer 40)
        mv $run/callgrind.out "$callgrind/indexer-$variant.callgrind"
        chmod 644 "$callgrind/indexer-$variant.callgrind"
    done
}

for part in ${*:-go perf python neighbour}; do
    "${part}_samples"
done
