#!/bin/sh
# Makes sample-profiles/series/ again: one unchanged service many times, and with known slowdowns. About 40 minutes of processor time.
#
# Wants Linux on x86-64, root, go, perf and python3 on PATH. Runs take turns, so that what else the machine does falls on all alike.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(dirname "$here")/series
run=/opt/emberlens-samples/shop
raw=$(mktemp -d)
mkdir -p $run "$out"
export CGO_ENABLED=0
cd "$here/shop"
go build -trimpath -buildvcs=false -o $run/shop .

capture() { # name, number, cost, requests: two profiles of the same run, by the runtime at 250 Hz and by perf at 2,000 Hz
    (cd $run && env -i "$(command -v perf)" record -q -N -F 2000 -g -e cpu-clock:u -o "$raw/$1-$2.perf.data" -- \
        ./shop -cost "$3" -requests "$4" -out "$raw/$1-$2.pb.gz" > "$raw/$1-$2.json" 2> /dev/null)
}

# Unchanged runs of both lengths stand among the others in every round.
large=280000 small=60000 unchanged=0
calm() {
    unchanged=$((unchanged + 1))
    capture small $unchanged "" $small
}
for round in 1 2 3 4 5 6; do
    capture base $round "" $large
    if [ $round -le 4 ]; then
        for percent in 102 105 110 150; do capture score-$percent $round pricing.Score=$percent $large; done
        calm
    fi
    if [ $round -le 3 ]; then
        capture sign-200 $round session.Sign=200 $small
        capture reserve-150 $round stock.Reserve=150 $small
        capture render-150 $round receipt.Render=150 $small
        calm
        capture rank-200 $round search.Rank=200 $small
        capture match-150 $round search.Match=150 $small
        capture pack-150 $round report.Pack=150 $small
        calm
        capture rate-200 $round tax.Rate=200 $small
        capture decode-150 $round codec.Decode=150 $small
    fi
done

# What each slowdown really costs, without a profile.
go test -v -count 1 -run TestTruth . > "$raw/truth.jsonl"

# Stacks of functions only; perf's stacks of the unchanged runs and of the smallest slowdown as folded text.
tool=$(mktemp -d) slim=$(mktemp -d)
cp "$here/slim/main.go" "$tool"
mkdir "$tool/pprof"
cp -r "$(go env GOROOT)/src/cmd/vendor/github.com/google/pprof/profile" "$tool/pprof/"
printf 'module github.com/google/pprof\ngo 1.24\n' > "$tool/pprof/go.mod"
printf 'module slim\ngo 1.27\nrequire github.com/google/pprof v0.0.0\nreplace github.com/google/pprof => ./pprof\n' > "$tool/go.mod"
(cd "$tool" && go build -mod=mod -o slim .)
for file in "$raw"/*.pb.gz; do "$tool/slim" "$file" "$slim/$(basename "$file" .gz)"; done
for file in "$raw"/base-*.perf.data "$raw"/score-102-*.perf.data; do
    perf script -i "$file" --no-inline -F comm,tid,time,period,event,ip,sym,dso 2> /dev/null | python3 "$here/fold.py" \
        > "$slim/$(basename "$file" .perf.data).folded"
done
pack() { # ending, archive
    (cd "$slim" && tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=ustar -cf - -- *."$1" | xz -9e) > "$out/$2"
}
pack pb shop-pprof.tar.xz
pack folded shop-folded.tar.xz
python3 "$here/series.py" "$raw" "$slim"
