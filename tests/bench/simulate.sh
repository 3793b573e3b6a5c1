#!/bin/sh
# simulate.sh - run simulate.c on simulated hosts, a rank on each, by SimGrid's SMPI
# (apt-get install simgrid libsimgrid-dev): simulate.sh RANKS barrier|broadcast|...
# SPDX-License-Identifier: MIT
set -eu
ranks=$1
shift
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
build=$root/build/simulated
mkdir -p "$build"

# All in one program, of which SMPI gives each rank a copy with data of its own.
smpicc -std=gnu11 -O2 -w -I "$root/lib/include" "$root/tests/bench/simulate.c" \
    "$root"/lib/src/*.c -o "$build/simulate" -lhwloc -lpthread -lm

# Hosts at one switch: 100 Gbit/s, 2.5 us from one to another.
cat >"$build/platform.xml" <<END
<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
  <cluster id="cluster" prefix="h" suffix="" radical="0-$((ranks - 1))" speed="10Gf"
           bw="12.5GBps" lat="1us" bb_bw="100GBps" bb_lat="0.5us"/>
</platform>
END

# Only messages take time, and a look for one a microsecond. Ranks must not sleep, for
# the simulator is one thread; nor look at themselves in /proc, as the detector does.
PAR_WAIT=spin PAR_DEADLOCK=off PAR_BIND=none smpirun -np "$ranks" \
    -platform "$build/platform.xml" --cfg=smpi/host-speed:10Gf \
    --cfg=smpi/simulate-computation:no --cfg=smpi/test:1e-6 --cfg=smpi/iprobe:1e-6 \
    --log=root.thresh:error "$build/simulate" "$@"
