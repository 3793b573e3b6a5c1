# SPDX-License-Identifier: MIT
"""Jobs of mpirun on several hosts: what ranks of one host do, those of four do, too."""

import json
import os
import re
import textwrap

import pytest
from mpirun import APPS, BUILD, PYTHON, SOURCE

UNEVEN = "h1:3,h2,h3:2,h4"
HOSTS = ["h1", "h1", "h1", "h2", "h3", "h3", "h4"]  # of ranks 0 to 6


@pytest.fixture
def job(cluster, tmp_path):
    """Run a script of Python on ranks of the hosts; what it printed, sorted."""

    def run(script, on=UNEVEN, timeout=180):
        file = tmp_path / "script.py"
        file.write_text(textwrap.dedent(script))
        done = cluster.mpirun(on, PYTHON, file, timeout=timeout)
        assert done.returncode == 0 and not done.stderr, done
        return sorted(done.stdout.splitlines())

    return run


# ---- programs ----------------------------------------------------------------


def test_a_ring_goes_around_all_hosts(cluster):
    done = cluster.mpirun(UNEVEN, APPS / "ring", "--laps", "20")
    assert done.returncode == 0, done
    assert re.findall(r"rank \d on (\w+)", done.stdout) == HOSTS
    assert "token 140 as expected" in done.stdout


def test_large_messages_go_around_all_hosts(cluster):
    done = cluster.mpirun(UNEVEN, APPS / "ring", "--laps", "2", "--bytes", "20000000")
    assert done.returncode == 0, done
    assert "token 14 as expected" in done.stdout


@pytest.mark.parametrize(
    "command, said",
    [
        ("fib 25 24 23 22 21", "[75025, 46368, 28657, 17711, 10946]"),
        ("fib --scatter block 25 24 23", "[75025, 46368, 28657]"),
        ("pi --intervals 100000", "pi 3.141592653"),
        ("fib.py 20 19 18", "[6765, 4181, 2584]"),
        ("pi.py --intervals 10000", "pi 3.14159265"),
        ("ring.py", "'P0P1P2P3P4P5P6' came back to rank 0 of 7 on h1"),
        ("mandelbrot.py --dynamic", "rank 6 computed"),
        ("farm.py 60 97 10000000000037", "60 = 2 x 2 x 3 x 5\n97 = 97\n"),
        ("bsend.py --numbers 200000", "7 of 7 ranks have their array back"),
        ("heat.py --rows 50 --columns 70", "mean 18.257394, checksum 94d88e66"),
    ],
)
def test_a_sample_program_does_on_four_hosts_what_it_does_on_one(cluster, command, said):
    name, *words = command.split()
    program = [PYTHON, SOURCE / "apps" / name] if name.endswith(".py") else [APPS / name]
    done = cluster.mpirun(UNEVEN, *program, *words)
    assert done.returncode == 0 and said in done.stdout, done


def test_run_shares_ranks_out_among_hosts(cluster, tmp_path):
    folder = tmp_path / "it's $(here)"
    folder.mkdir()
    script = folder / "a b.py"
    script.write_text(
        "import os, sys\n"
        "from pypar import get_processor_name, world\n"
        "told = world.gather((get_processor_name(), sys.argv[1:], os.environ['PAR_WAIT']))\n"
        "if world.rank == 0: print(told)\n"
    )
    words = ["-n", "5", "--hosts", "h1,h3", script, "$(touch made)", "it's", ""]
    run = [PYTHON, "-m", "pypar", "run", *words]
    done = cluster.run(*run, env={"PAR_WAIT": "sleep"})
    assert done.returncode == 0, done
    arrived = (["$(touch made)", "it's", ""], "sleep")
    hosts = ["h1", "h1", "h1", "h3", "h3"]
    assert done.stdout == f"{[(host, *arrived) for host in hosts]}\n"


# ---- communicators of a node -------------------------------------------------


def test_a_node_is_the_ranks_of_one_host(job):
    told = job("""
        from pypar import get_processor_name, world
        node = world.node
        names = node.allgather(get_processor_name())
        assert set(names) == {get_processor_name()}
        print(world.rank, names[0], node.rank, node.size)
    """)
    assert told == [
        "0 h1 0 3", "1 h1 1 3", "2 h1 2 3", "3 h2 0 1", "4 h3 0 2", "5 h3 1 2", "6 h4 0 1"
    ]  # fmt: skip


def test_ranks_that_are_dealt_out_in_turns_find_their_node(cluster, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pypar import world\n"
        "print(world.rank, world.node.allgather(world.rank), world.node.allreduce(1, 3))\n"
    )
    done = cluster.mpirun("h1:2,h2:2,h3:2", "--map-by", "node", PYTHON, script)
    assert done.returncode == 0, done
    pairs = {0: [0, 3], 1: [1, 4], 2: [2, 5]}
    expected = [f"{rank} {pairs[rank % 3]} 2" for rank in range(6)]
    assert sorted(done.stdout.splitlines()) == expected


def test_the_first_ranks_of_the_hosts_make_a_communicator(job):
    told = job("""
        from pypar import get_processor_name, world
        firsts = world.split(0 if world.node.rank == 0 else None)
        if firsts:
            names = firsts.gather((get_processor_name(), world.node.size))
            if firsts.rank == 0:
                print(names)
    """)
    assert told == ["[('h1', 3), ('h2', 1), ('h3', 2), ('h4', 1)]"]


# ---- places ------------------------------------------------------------------

WHERE = [PYTHON, "-m", "pypar", "where", "--all", "--json"]


def nodes_of(done):
    assert done.returncode == 0 and not done.stderr, done
    told = json.loads(done.stdout)
    assert told["ranks"] == len(HOSTS)
    assert [node["host"] for node in told["nodes"]] == ["h1", "h2", "h3", "h4"]
    found = [rank["rank"] for node in told["nodes"] for rank in node["ranks"]]
    assert found == list(range(len(HOSTS)))
    return told["nodes"]


def test_each_host_is_divided_among_its_own_ranks(cluster):
    nodes = nodes_of(cluster.mpirun(UNEVEN, *WHERE))
    cpus = [cpu for cpu in nodes[0]["machine"]["cpus"] if cpu["allowed"]]
    every = {cpu["cpu"] for cpu in cpus}  # hosts of one machine have the same
    cores = len({cpu["core"] for cpu in cpus})
    for node, ranks in zip(nodes, (3, 1, 2, 1), strict=True):
        places = [set(rank["cpus"]) for rank in node["ranks"]]
        assert len(places) == ranks
        if ranks > cores:
            assert places == [every] * ranks
        else:  # whether other hosts have more ranks or fewer
            together = set.union(*places)
            assert sum(map(len, places)) == len(together)
            assert together == every or cores % ranks
    assert nodes[3]["like"] == 1 and nodes[3]["machine"] is None


def test_ranks_of_unequal_hosts_have_shares_of_their_own(cluster, tmp_path):
    machines = {
        "h1": "pack:3 [numa] core:4 pu:2",
        "h2": "pack:1 core:6 pu:1",
        "h3": "pack:1 core:6 pu:1",
        "h4": "pack:1 core:6 pu:1",
    }
    for host, machine in machines.items():
        (tmp_path / host).write_text(machine)
    start = f'HWLOC_SYNTHETIC=$(cat {tmp_path}/$(hostname)) exec "$@"'
    nodes = nodes_of(cluster.mpirun(UNEVEN, "sh", "-c", start, "sh", *WHERE))
    sizes = [[len(rank["cores"]) for rank in node["ranks"]] for node in nodes]
    assert sizes == [[4, 4, 4], [6], [3, 3], [6]]
    assert [len(rank["cpus"]) for rank in nodes[0]["ranks"]] == [8, 8, 8]
    assert [rank["numa"] for rank in nodes[0]["ranks"]] == [[0], [1], [2]]
    assert [node["like"] for node in nodes] == [0, 1, 2, 1]
    told = [node["machine"] and len(node["machine"]["cpus"]) for node in nodes]
    assert told == [24, 6, 6, None]


def test_nobody_moves_where_one_host_lacks_room(job):
    cpu = min(os.sched_getaffinity(0))
    told = job(f"""
        import os
        import pypar
        from pypar import get_processor_name, world

        before = os.sched_getaffinity(0)
        try:
            pypar.place("{cpu}:{cpu}")  # for two ranks; h1 has three
        except (ValueError, pypar.Error) as error:
            assert "CPUs for 2 ranks: this node has 3" in str(error), error
            on_h1 = get_processor_name() == "h1"
            assert type(error) is (ValueError if on_h1 else pypar.Error)
        else:
            raise AssertionError("it has been placed")
        assert os.sched_getaffinity(0) == before
        pypar.place("{cpu}:{cpu}:{cpu}")
        print(world.rank, sorted(os.sched_getaffinity(0)))
        """)
    assert told == [f"{rank} [{cpu}]" for rank in range(len(HOSTS))]


# ---- messages over TCP -------------------------------------------------------


def test_arrays_of_every_length_arrive_whole_between_all_hosts(job):
    """Around the limits below which a message goes in one piece, at libpar's and at
    those of Open MPI's transports."""
    told = job("""
        import zlib
        import numpy as np
        from pypar import world

        limits = [0, 4000, 20480, 32768, 65536, 131072, 2**20]
        lengths = [max(0, limit + d) for limit in limits for d in (-64, -1, 0, 1, 64)]
        others = [rank for rank in range(world.size) if rank != world.rank]

        def drawn(source, dest, length):
            return np.random.default_rng([source, dest, length]).bytes(length)

        for length in lengths:
            coming = [world.ireceive(other) for other in others]
            going = [
                world.isend(np.frombuffer(drawn(world.rank, o, length), np.uint8), o)
                for o in others
            ]
            for other, request in zip(others, coming):
                expected = drawn(other, world.rank, length)
                assert zlib.crc32(request.wait(30)) == zlib.crc32(expected), length
            for request in going:
                request.wait(30)
        print("all")
    """)
    assert told == ["all"] * 7


def test_a_message_of_hundreds_of_megabytes_arrives_whole(job):
    told = job(
        """
        import zlib
        import numpy as np
        from pypar import world

        sent = np.arange(40_000_000)  # of 8 bytes
        if world.rank == 0:
            world.send(sent, 1)
            back = world.receive(1)
            print(zlib.crc32(back) == zlib.crc32(sent[::-1].copy()))
        else:
            world.send(world.receive(0)[::-1], 0)
        """,
        on="h1,h2",
        timeout=300,
    )
    assert told == ["True"]


def test_large_collective_calls_give_the_same_on_all_hosts(job):
    told = job("""
        import numpy as np
        from pypar import MAX, SUM, world

        n, rank, size = 200_000, world.rank, world.size
        mine = np.arange(n) * (rank + 1)
        total = np.arange(n) * sum(range(1, size + 1))
        assert (world.allreduce(mine, SUM) == total).all()
        root = world.reduce(mine, MAX, root=4)
        assert root is None if rank != 4 else (root == np.arange(n) * size).all()
        assert (world.broadcast(mine.copy(), root=3) == np.arange(n) * 4).all()
        assert [a[1] for a in world.allgather(mine)] == list(range(1, size + 1))
        parts = world.alltoall([np.full(50_000, 10 * rank + to) for to in range(size)])
        assert [a[-1] for a in parts] == [10 * source + rank for source in range(size)]
        assert (world.scan(mine, SUM) == np.arange(n) * sum(range(1, rank + 2))).all()
        print("all")
    """)
    assert told == ["all"] * 7


# ---- the tests of one host ---------------------------------------------------


@pytest.fixture
def spread(cluster, tmp_path):
    """Run a command whose mpirun puts each rank on the next host."""
    hostfile = tmp_path / "hosts"
    hostfile.write_text("".join(f"h{n} slots=2\n" for n in range(1, 5)))

    def run(*argv):
        done = cluster.run(
            f"OMPI_MCA_orte_default_hostfile={hostfile}",
            "OMPI_MCA_rmaps_base_mapping_policy=node",
            "OMPI_MCA_mca_base_env_list=PYTHONPATH;PAR_RANKS_FOLDER",
            f"TMPDIR={tmp_path}",  # which all hosts have
            *argv,
            timeout=900,
        )
        assert done.returncode == 0, done
        return done

    return run


def test_the_librarys_tests_pass_on_several_hosts(spread):
    names = "alltoall collective inbox message p2p reduce request split vector".split()
    tests = rf"^lib\.({'|'.join(names)})\.n3$"
    done = spread("ctest", "--test-dir", BUILD, "-R", tests, "--output-on-failure")
    assert f"0 tests failed out of {len(names)}" in done.stdout, done


def test_the_bindings_tests_pass_on_several_hosts(spread, tmp_path):
    names = "collective p2p random split".split()
    files = [SOURCE / "tests" / "bindings" / f"test_{name}.py" for name in names]
    # Of its own, beside which the run that this is must not write.
    apart = ["-p", "no:cacheprovider", "--basetemp", tmp_path / "inner"]
    done = spread(PYTHON, "-m", "pytest", *apart, "-k", "4ranks", *files)
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert int(passed[1]) > 100, done


# ---- failures ----------------------------------------------------------------


def test_an_exception_on_one_host_ends_the_job_on_all(cluster, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pypar import world\n"
        "if world.rank == 3:\n"
        "    raise SystemExit(7)\n"
        "world.receive(3)\n"
    )
    done = cluster.mpirun(UNEVEN, PYTHON, script)
    assert done.returncode == 7, done


def test_a_signal_to_mpirun_ends_the_job_on_all_hosts(cluster, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pypar import world\n"
        "world.barrier()\n"
        "open(sys.argv[1], 'w').close()\n"
        "world.receive(world.rank)\n"
    )
    starter = tmp_path / "starter.py"
    starter.write_text(
        "import os, signal, subprocess, sys, time\n"
        "job = subprocess.Popen(sys.argv[1:])\n"
        "while not os.path.exists(sys.argv[-1]) and job.poll() is None:\n"
        "    time.sleep(0.05)\n"
        "time.sleep(0.5)\n"
        "job.send_signal(signal.SIGINT)\n"
        "print('ended with', job.wait())\n"
    )
    words = ["mpirun", "--host", UNEVEN]
    # That is a deadlock, which would be found, too.
    words += ["-x", "PAR_DEADLOCK=off", "-x", "PYTHONPATH"]
    done = cluster.run(PYTHON, starter, *words, PYTHON, script, tmp_path / "begun")
    told = re.search(r"^ended with (-?\d+)$", done.stdout, re.MULTILINE)
    assert done.returncode == 0 and int(told[1]) != 0, done
