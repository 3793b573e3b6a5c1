#!/bin/sh
# boot.sh - process 1 of a host: boot.sh NAME FOLDER, in namespaces of its own.
# SPDX-License-Identifier: MIT
#
# FOLDER is the cluster's. The host is up once FOLDER/NAME.pid has the number of this
# process, as those who started it see it, and goes down when its input ends.
set -eu
name=$1
folder=$2

read -r pid _ </proc/self/stat # before /proc is our own
hostname "$name"
mount -t proc proc /proc
mount -t tmpfs -o mode=1777 memory /dev/shm
mount -t tmpfs -o mode=1777 private "$folder/private"
mount --bind "$folder/hosts" /etc/hosts
ip link set lo up

echo "$pid" >"$folder/$name.booting"
mv "$folder/$name.booting" "$folder/$name.pid"
# Who has lost its parent has this process, which waits for nobody.
exec env --ignore-signal=CHLD cat >/dev/null
