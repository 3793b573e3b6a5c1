# SPDX-License-Identifier: MIT
"""Several hosts out of one machine.

    with Cluster(folder, hosts=4) as cluster:
        done = cluster.run("mpirun", "--host", "h1,h2", program)   # on the head
        done = cluster.run("hostname", host="h3")

Each host is a process 1 (boot.sh) with namespaces of its own: hostname, network,
processes, mounts. It has its own /proc, /dev/shm and $TMPDIR; all other files are
shared, as over NFS. The host named "head" starts the jobs: it has the bridge that
joins the hosts, and they are processes of it, so they all end with it. It ends when
its input does, which is ours: nothing of a cluster outlives this process.

No namespace has a name, so nothing of one cluster can meet another.
"""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

from mpirun import alone

HERE = Path(__file__).parent
NAMESPACES = ["--mount", "--uts", "--ipc", "--net", "--pid"]
UNSHARE = ["unshare", *NAMESPACES, "--fork", "--kill-child"]
TOOLS = ("unshare", "nsenter", "ip", "tc", "mpirun")
BOOT_SECONDS = 60


def why_not():
    """What keeps this machine from making hosts; "" if nothing does."""
    if os.geteuid() != 0:
        return "making hosts needs root"
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        return f"missing here: {', '.join(missing)}"
    try:
        for kind in ("veth", "bridge"):
            output_of([*UNSHARE, "ip", "link", "add", "type", kind])
        output_of([*UNSHARE, "mount", "-t", "tmpfs", "none", "/dev/shm"])
    except subprocess.CalledProcessError as error:
        return f"namespaces are not allowed here: {error.stderr.strip()}"
    return ""


def output_of(argv):
    """What a command prints that must succeed."""
    run = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=180)
    return run.stdout


class Cluster:
    def __init__(self, folder, hosts):
        self.folder = Path(folder)
        self.hosts = [f"h{n}" for n in range(1, hosts + 1)]
        self.addresses = {h: f"10.0.0.{n}" for n, h in enumerate(self.hosts, 1)}
        self.addresses["head"] = "10.0.0.254"
        self.processes = {}  # host -> what waits for its process 1
        self.daemons = []

    def __enter__(self):
        try:
            self._lay_folder()
            self.boot("head")
            self.ip("link", "add", "eth0", "type", "bridge", "forward_delay", "0")
            self._connect("head")
            for host in self.hosts:
                self.boot(host)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def _lay_folder(self):
        (self.folder / "private").mkdir()
        (self.folder / "bin").mkdir()
        ssh = shutil.copy(HERE / "ssh.sh", self.folder / "bin" / "ssh")
        os.chmod(ssh, 0o755)
        lines = [f"{address} {host}" for host, address in self.addresses.items()]
        text = "\n".join(["127.0.0.1 localhost", *lines, ""])
        (self.folder / "hosts").write_text(text)

    def boot(self, host):
        """Start HOST and plug it in, for the first time or after kill()."""
        inside = [] if host == "head" else self.enter("head")
        log = self.folder / f"{host}.log"
        with open(log, "wb") as output:
            self.processes[host] = subprocess.Popen(
                [*inside, *UNSHARE, "sh", HERE / "boot.sh", host, self.folder],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is ours, who end it after the tests
            )
        limit = time.monotonic() + BOOT_SECONDS
        while not self._pid_file(host).exists():
            if self.processes[host].poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"host {host} did not start: {log.read_text()}")
            time.sleep(0.01)
        if host != "head":
            self.ip("link", "add", f"to-{host}", "type", "veth",
                    "peer", "eth0", "netns", self._pid(host))  # fmt: skip
            self.ip("link", "set", f"to-{host}", "master", "eth0", "up")
            self._connect(host)

    def _connect(self, host):
        self.ip("address", "add", f"{self.addresses[host]}/24", "dev", "eth0", host=host)
        self.ip("link", "set", "eth0", "up", host=host)

    def ip(self, *words, host="head"):
        output_of([*self.enter(host), "ip", *words])

    def kill(self, host):
        """End all that runs on HOST, at once."""
        output_of([*self.enter("head"), "kill", "-KILL", self._pid(host)])
        self.processes.pop(host).wait()
        self._pid_file(host).unlink()

    def unplug(self, host):
        """Take the cable out of HOST: nobody is told, and what is sent is lost."""
        self.ip("link", "set", f"to-{host}", "down")

    def plug(self, host):
        self.ip("link", "set", f"to-{host}", "up")

    def slow_down(self, host, rate="20mbit"):
        """Let no more through the cable of HOST, either way, from now on. Its queues
        are short: what doesn't fit is lost, and TCP sends it once more."""
        words = ["tc", "qdisc", "add", "dev"]
        limit = ["root", "tbf", "rate", rate, "burst", "8kb", "limit", "16kb"]
        output_of([*self.enter("head"), *words, f"to-{host}", *limit])
        output_of([*self.enter(host), *words, "eth0", *limit])

    def lost(self, host):
        """How many packets to and from HOST have been lost since it was slowed down."""
        words = ["tc", "-s", "qdisc", "show", "dev"]
        told = output_of([*self.enter("head"), *words, f"to-{host}"])
        told += output_of([*self.enter(host), *words, "eth0"])
        return sum(map(int, re.findall(r"dropped (\d+)", told)))

    def end(self):
        """End all hosts."""
        for process in self.processes.values():
            process.stdin.close()
        for process in [*self.processes.values(), *self.daemons]:
            process.wait(BOOT_SECONDS)
        self.processes.clear()
        self.daemons.clear()

    def _pid_file(self, host):
        return self.folder / f"{host}.pid"

    def _pid(self, host):
        return self._pid_file(host).read_text().strip()

    def enter(self, host):
        """The command that runs what is behind it on HOST."""
        prefix = ["nsenter", "--target", self._pid(host), *NAMESPACES]
        return prefix if host == "head" else [*self.enter("head"), *prefix]

    def argv(self, *argv, host="head"):
        """The command that runs ARGV, assignments to variables first, on HOST."""
        path = f"PATH={self.folder / 'bin'}:{os.environ['PATH']}"
        # What tests set for jobs on this machine is not meant for those of a cluster.
        unset = [f"--unset={name}" for name in os.environ if "_MCA_" in name]
        env = ["env", f"--chdir={Path.cwd()}", *unset, path]
        env += [f"TMPDIR={self.folder / 'private'}", f"HOSTNAME={host}"]
        return [*self.enter(host), *env, *argv]

    def start(self, *argv, host, output):
        """Start a daemon on HOST, which ends with HOST."""
        with open(output, "wb") as file:
            self.daemons.append(subprocess.Popen(
                self.argv(*argv, host=host), stdin=subprocess.DEVNULL,
                stdout=file, stderr=file, start_new_session=True,
            ))  # fmt: skip

    def run(self, *argv, host="head", timeout=180, env=None):
        """Run ARGV on HOST: mpirun.alone."""
        return alone(*self.argv(*argv, host=host), timeout=timeout, env=env)

    def mpirun(self, on, *argv, timeout=180, env=None):
        """Run ARGV on ranks of the hosts ON, "h1:2,h2", with our PYTHONPATH."""
        words = ["mpirun", "--host", on, "-x", "PYTHONPATH", *argv]
        return self.run(*words, timeout=timeout, env=env)

    def traces(self):
        """What there is on the hosts beside the files of all: processes and memory."""
        processes = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline && echo; done; :"
        memory = "find /dev/shm -mindepth 1"
        found = {"processes": self._list("head", processes)}  # those of all hosts
        return found | {host: self._list(host, memory) for host in self.processes}

    def _list(self, host, script):
        listing = output_of(self.argv("sh", "-c", script, host=host))
        return sorted(line for line in listing.splitlines() if script not in line)
