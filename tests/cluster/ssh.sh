#!/bin/sh
# ssh.sh - in place of ssh between the hosts of a cluster: ssh.sh [-OPTION...] HOST COMMAND
# SPDX-License-Identifier: MIT
#
# It lies in the cluster's folder as bin/ssh, where mpirun finds it. Like a login it
# brings nothing along of the environment that it was called in.
set -eu
folder=$(dirname "$(dirname "$0")")

while case $1 in -*) true ;; *) false ;; esac do
    shift
done
host=$1
shift
if [ ! -r "$folder/$host.pid" ]; then
    echo "ssh: no host $host is up" >&2
    exit 255
fi
read -r pid <"$folder/$host.pid"
exec nsenter --target "$pid" --mount --uts --ipc --net --pid \
    env --ignore-environment --chdir=/ HOME=/root TMPDIR="$folder/private" \
    PATH="$folder/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" sh -c "$*"
