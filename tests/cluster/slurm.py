# SPDX-License-Identifier: MIT
"""A SLURM on the hosts of a cluster.

    with Cluster(folder, hosts=4) as cluster:
        done = Slurm(cluster).run("srun", "--ntasks=4", "hostname")

The head has munged, which vouches for who asks, and slurmctld; each host has a
slurmd. Their state is in the cluster's folder, and they end with the cluster.
"""

import os
import secrets
import shutil
import time

DAEMONS = ("munged", "slurmctld", "slurmd")
START_SECONDS = 180
CPUS = 2  # of each node, however many the machine has

# No cgroups and no database of jobs: those are the machine's, not the cluster's.
CONF = """\
ClusterName=par
SlurmctldHost=head({head})
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiParams=ports=12000-12999
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
KillOnBadExit=1
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
MailProg=/bin/true
"""
NODE = "NodeName={host} NodeAddr={address} CPUs={cpus} RealMemory=500\n"
PARTITION = "PartitionName=main Nodes={hosts} Default=YES MaxTime=INFINITE\n"
# The hosts share /tmp, where the plugin would put files of the same name.
MPI_CONF = "PMIxCliTmpDirBase={private}\n"


def why_not():
    """What is missing for a SLURM; "" if nothing is."""
    missing = [daemon for daemon in DAEMONS if not shutil.which(daemon, path=_path())]
    cure = "apt-get install slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge"
    return f"missing here: {', '.join(missing)} ({cure})" if missing else ""


def _path():
    return f"{os.environ['PATH']}:/usr/sbin"


class Slurm:
    def __init__(self, cluster):
        self.cluster = cluster
        self.folder = cluster.folder / "slurm"
        self._configure()
        self._start_munge()
        self._start("slurmctld", "-D", "-i")
        for host in cluster.hosts:
            self.start_node(host)
        self.wait_until_idle()

    def wait_until_idle(self):
        self._wait_for(self._nodes_are_idle, "all nodes to be idle")

    def _configure(self):
        names = {"folder": self.folder, "private": self.cluster.folder / "private"}
        addresses = self.cluster.addresses
        hosts = self.cluster.hosts
        nodes = [NODE.format(host=h, address=addresses[h], cpus=CPUS) for h in hosts]
        conf = [CONF.format(head=addresses["head"], **names), *nodes,
                PARTITION.format(hosts=",".join(hosts))]  # fmt: skip
        (self.folder / "state").mkdir(parents=True)
        (self.folder / "slurm.conf").write_text("".join(conf))
        (self.folder / "mpi.conf").write_text(MPI_CONF.format(**names))

    def _start_munge(self):
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        socket = self.folder / "munge.socket"
        files = [f"--{name}-file={self.folder}/munge.{name}"
                 for name in ("key", "pid", "log", "seed")]  # fmt: skip
        self._start("munged", "--foreground", "--force", f"--socket={socket}", *files)
        self._wait_for(socket.exists, "munged's socket")

    def start_node(self, host):
        """Have HOST take jobs, from its boot on."""
        (self.folder / f"spool.{host}").mkdir(exist_ok=True)
        self._start("slurmd", "-D", "-N", host, host=host)

    def _start(self, daemon, *words, host="head"):
        program = shutil.which(daemon, path=_path())
        output = self.folder / f"{daemon}.{host}.out"
        self.cluster.start(self.conf, program, *words, host=host, output=output)

    def _nodes_are_idle(self):
        done = self.run("sinfo", "--noheader", "--Node", "--format=%t")
        return done.stdout.split() == ["idle"] * len(self.cluster.hosts)

    def _wait_for(self, condition, what):
        limit = time.monotonic() + START_SECONDS
        while not condition():
            if time.monotonic() > limit:
                raise RuntimeError(f"waited in vain for {what}: {self._output()}")
            time.sleep(0.05)

    def _output(self):
        """What the daemons had to say."""
        files = sorted([*self.folder.glob("*.out"), *self.folder.glob("*.log")])
        return "\n".join(f"--- {f.name}\n{f.read_text()[-2000:]}" for f in files)

    @property
    def conf(self):
        """What tells SLURM's commands where their cluster is."""
        return f"SLURM_CONF={self.folder / 'slurm.conf'}"

    def run(self, *argv, host="head", timeout=180, env=None):
        """Run ARGV on HOST, as one who logged in there: Cluster.run."""
        return self.cluster.run(self.conf, *argv, host=host, timeout=timeout, env=env)

    def start(self, *argv, timeout=180):
        """The same of what has srun start ranks. Open MPI 4.1 crashes in one of a hundred
        such starts, also of a program that calls nothing but MPI_Init, before par could
        tell of it, as "SIGSEGV": that is tried again."""
        for _ in range(3):
            done = self.run(*argv, timeout=timeout)
            if "Segmentation fault" not in done.stderr or "SIGSEGV" in done.stderr:
                break
        return done
