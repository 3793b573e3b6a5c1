# SPDX-License-Identifier: MIT
"""What nobody has taken when the job ends is listed, once."""

import pytest
from mpirun import PYTHON, mpirun

LISTED = "the job ends, and leaves over:"


@pytest.fixture
def job(script):
    """Run a script on two ranks, or another number."""

    def run(text, n=2, **env):
        return mpirun(n, PYTHON, script(text), env=env)

    return run


LEAVE = """
    import numpy as np
    from pypar import world

    right = (world.rank + 1) % world.size
    world.send(np.zeros(5), right, tag=7)
    world.send({"a": world.rank}, 0, tag=9)
"""


def test_messages_are_listed_with_ranks_tag_type_and_count(job):
    done = job(LEAVE, n=3)
    assert done.returncode == 0, done
    assert done.stderr.count(LISTED) == 1
    ring = "3 messages under tag 7, 5 double each: from rank 2 to 0, 0 to 1, 1 to 2"
    assert ring in done.stderr
    assert "3 messages under tag 9, " in done.stderr
    assert "bytes of an object each: from rank 0 to 0, 1 to 0, 2 to 0" in done.stderr


def test_they_are_an_error_on_request(job):
    done = job(LEAVE, PAR_LEFTOVERS="error")
    assert done.returncode == 1, done
    assert done.stderr.count(LISTED) == 1, done


def test_or_nothing(job):
    done = job(LEAVE, PAR_LEFTOVERS="off")
    assert done.returncode == 0 and not done.stderr, done


def test_finalize_warns_and_raises_likewise(job):
    text = (
        LEAVE
        + """
    import warnings
    import pypar
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            pypar.finalize()
        except pypar.Error as error:
            assert "PAR_LEFTOVERS is error" in str(error)
            print("raised")
    assert not pypar.initialized()
    print(len(warned), *(warning.category.__name__ for warning in warned))
    """
    )
    done = job(text)
    assert done.returncode == 0 and not done.stderr, done
    assert sorted(done.stdout.splitlines()) == ["0", "1 RuntimeWarning"]
    done = job(text, PAR_LEFTOVERS="error")
    assert done.returncode == 0 and not done.stderr, done
    assert sorted(done.stdout.splitlines()) == ["0", "1 RuntimeWarning", *["raised"] * 2]


def test_a_flood_is_waited_for_and_counted(job):
    done = job(
        """
        from pypar import world
        if world.rank == 1:
            for number in range(20000):
                world.send(float(number), 0, tag=3)
        """
    )
    assert done.returncode == 0, done
    assert "20000 messages under tag 3" in done.stderr


def test_many_kinds_are_counted(job):
    done = job(
        """
        from pypar import world
        for tag in range(100):
            world.send(1.0, 0, tag=tag)
        """
    )
    assert done.returncode == 0, done
    lines = done.stderr.splitlines()
    assert 10 < len(lines) < 40
    listed = [int(line.split()[0]) for line in lines if " messages under " in line]
    listed += [1 for line in lines if " 1 message under " in line]
    more = next(int(line.split()[1]) for line in lines if line.endswith(" more"))
    assert sum(listed) + more == 200


def test_large_messages_that_nobody_receives_do_not_hold_up_the_end(job):
    done = job(
        """
        import numpy as np
        from pypar import world
        requests = [world.isend(np.zeros(1000000), 1 - world.rank)]
        """
    )
    assert done.returncode == 0, done
    assert "2 messages under tag 1, 1000000 double each" in done.stderr


@pytest.mark.parametrize("end", ["pypar.finalize()", "pass"])
def test_a_receive_that_waits_still_is_listed(job, end):
    text = f"""
        import pypar
        given_up = pypar.world.ireceive(pypar.any_source, 76)
        del given_up
        request = pypar.world.ireceive(pypar.any_source, 77)
        {end}
        """
    done = job(text)
    assert done.returncode == 0, done
    assert "2 receives that wait still under tag 77: from any rank to 0" in done.stderr
    assert "tag 76" not in done.stderr, done
    done = job(text, PAR_LEFTOVERS="error")
    assert done.returncode == 1, done


def test_threads_that_are_left_behind_in_receives_do_not_hold_up_the_end(job):
    done = job(
        """
        import threading, time
        from pypar import any_source, world

        about = threading.Barrier(6)

        def serve(tag):
            about.wait()
            while True:
                world.receive(any_source, tag)

        for tag in range(5):
            threading.Thread(target=serve, args=(tag,), daemon=True).start()
        about.wait()
        time.sleep(1 + world.rank)  # so that they are there, and rank 0 waits for the end
        """
    )
    assert done.returncode == 0, done
    for tag in range(5):
        assert f"2 receives that wait still under tag {tag}: " in done.stderr, done


@pytest.mark.parametrize("missing", ["pass", "world.barrier()"])
def test_a_collective_call_that_a_rank_has_not_made_is_named(job, missing):
    done = job(
        f"""
        from pypar import SUM, Error, world
        world.barrier()
        if world.rank == 0:
            world.reduce(1, SUM, 1)
        else:
            try:
                {missing}
            except Error:
                print("told")
        """
    )
    assert done.returncode == 0, done
    if missing == "pass":
        assert (
            "rank 1: collective call 1, which is reduce of objects(SUM, root 1) on rank 0"
            in done.stderr
        ), done
        assert "is missing here" in done.stderr
    else:
        assert done.stdout == "told\n" and not done.stderr, done


def test_messages_of_a_communicator_are_named_by_the_worlds_ranks(job):
    done = job(
        """
        from pypar import world
        pair = world.split(world.rank // 2)
        if world.rank == 3:
            pair.send(b"abc", 0, tag=4)
        """,
        n=4,
    )
    assert done.returncode == 0, done
    line = "1 message under tag 4, 3 byte, on a communicator of 2 ranks: from rank 3 to 2"
    assert line in done.stderr


def test_who_ends_with_an_exception_hears_of_that_alone(job):
    done = job(
        LEAVE
        + """
    import pypar
    try:
        raise KeyError("worse")
    finally:
        pypar.finalize()
    """
    )
    assert done.returncode == 1 and "KeyError: 'worse'" in done.stderr, done
    assert LISTED not in done.stderr


def test_nothing_is_said_where_nothing_is_left(job):
    done = job(
        """
        import numpy as np
        from pypar import SUM, any_source, world

        right, left = (world.rank + 1) % world.size, (world.rank - 1) % world.size
        for count in (1, 1000, 100000):
            request = world.isend(np.zeros(count), right)
            world.receive(left)
            world.allreduce(np.zeros(count), SUM)
            world.gather(world.rank)
        world.ireceive(any_source, 5)  # dropped, and so called back
        world.isend("gone", right, tag=2)
        assert world.receive(left, tag=2) == "gone"
        """,
        n=4,
        PAR_LEFTOVERS="error",
    )
    assert done.returncode == 0 and not done.stderr, done
