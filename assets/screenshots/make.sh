#!/bin/sh
# Makes the pictures of the README anew from the sample captures, without a display. Run it in the checkout after `cargo build`.
set -e
program=${EMBERLENS:-target/debug/emberlens}
go=sample-profiles/pprof/go1.27.3
series=sample-profiles/series/shop-pprof.tar.xz
perf=sample-profiles/perf-data/6.1.187/indexer-before.perf.data
pair="open-comparison $go/orders-cpu-before.pb.gz $go/orders-cpu-after.pb.gz"
folder=assets/screenshots

# picture NAME THEME SIZE, the commands on standard input
picture() {
    { cat; echo "export $folder/$1-$2.png"; } | "$program" run - --view window --theme "$2" --size "$3"
}

for theme in dark light; do
    printf '%s\nnext-finding\n' "$pair" | picture compare "$theme" 1440x900
    echo "open $go/orders-cpu-after.pb.gz" | picture single "$theme" 1440x900
done
printf '%s\nset-tab top\n' "$pair" | picture top light 1280x720
printf '%s\nnext-finding\nset-tab sandwich\n' "$pair" | picture sandwich dark 1280x720
printf 'set-source {"folders":["sample-profiles/src"],"trims":[]}\n%s\nnext-finding\nset-measure total\nset-tab source\n' "$pair" | picture source light 1280x720
printf 'open %s\nset-time-range 1s..2s\n' "$perf" | picture timeline dark 1280x720
members() {
    for number in $2; do printf '"%s!%s-%s.pb",' "$series" "$1" "$number"; done | sed 's/,$//'
}
printf 'open-sides [[%s],[%s]]\nnext-finding\nset-tab trend\n' "$(members base '1 2 3 4 5')" "$(members score-150 '1 2 3')" | picture trend dark 1280x720
