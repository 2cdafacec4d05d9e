#!/bin/sh
# Makes the flight recordings of sample-profiles/jfr (OpenJDK 17). Nothing of the environment is recorded: all events but these are off.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
javac -g -d "$work" java/Orders.java
on=settings=none
for event in ExecutionSample#enabled=true ExecutionSample#period=10ms ObjectAllocationSample#enabled=true ObjectAllocationSample#throttle=150/s \
    JavaMonitorEnter#enabled=true JavaMonitorEnter#threshold=0ms ThreadSleep#enabled=true ThreadSleep#threshold=0ms \
    ThreadPark#enabled=true ThreadPark#threshold=0ms JVMInformation#enabled=true OSInformation#enabled=true CPUInformation#enabled=true \
    ActiveSetting#enabled=true; do
    on="$on,+jdk.$event"
done
for side in before after; do
    slow=$([ $side = after ] && echo true || echo false)
    java -Xmx128m -Dslow="$slow" "-XX:StartFlightRecording:filename=$work/orders.jfr,$on" -cp "$work" Orders 600000
    gzip -9nc "$work/orders.jfr" > "../jfr/openjdk-17/orders-$side.jfr.gz"
done
rm -r "$work"
