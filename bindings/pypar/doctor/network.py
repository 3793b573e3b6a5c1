# SPDX-License-Identifier: MIT
"""The network interfaces of this host, and which of them messages take."""

import re

from .here import OK, WARN, Here, Result

# Bridges of containers and virtual machines: each host has one of the same address, which
# leads nowhere.
BRIDGE = re.compile(r"^(docker|virbr|lxcbr|cni|br-|veth|podman|flannel|cali)")
CHOICES = ("OMPI_MCA_btl_tcp_if_include", "OMPI_MCA_btl_tcp_if_exclude")


def interfaces(here: Here) -> Result:
    """Those of TCP."""
    name, folder = "network", "sys/class/net"
    up = [
        each
        for each in here.names(folder)
        if here.text(f"{folder}/{each}/operstate") in ("up", "unknown") and each != "lo"
    ]
    chosen = [choice for choice in CHOICES if here.environ.get(choice)]
    fact = ", ".join(up) or "none but the loopback"
    if chosen:
        return Result(name, OK, f"{fact}; {chosen[0]} chooses among them")
    bridges = [each for each in up if BRIDGE.match(each)]
    if bridges:
        cure = (
            "where ranks of several hosts cannot connect, set OMPI_MCA_btl_tcp_if_include "
            "and OMPI_MCA_oob_tcp_if_include to the network between them"
        )
        return Result(name, WARN, f"{fact}: {', '.join(bridges)} may lead nowhere", cure)
    return Result(name, OK, fact)


def infiniband(here: Here) -> Result | None:
    """InfiniBand and its kin; None where there is none."""
    cards = here.names("sys/class/infiniband")
    if not cards:
        return None
    active = [
        card
        for card in cards
        for port in here.names(f"sys/class/infiniband/{card}/ports")
        if "ACTIVE" in here.text(f"sys/class/infiniband/{card}/ports/{port}/state")
    ]
    if not active:
        cure = "messages take TCP: see ibstat, the cable and the subnet manager"
        return Result("InfiniBand", WARN, f"{', '.join(cards)}, no port active", cure)
    if not here.names("dev/infiniband"):
        cure = "a container needs --device=/dev/infiniband"
        return Result("InfiniBand", WARN, "no device in /dev/infiniband", cure)
    return Result("InfiniBand", OK, ", ".join(sorted(set(active))))
