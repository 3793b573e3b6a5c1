# SPDX-License-Identifier: MIT
"""What ranks print."""

import pytest
from mpirun import PYTHON, mpirun


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_line_is_one_write_and_goes_out_at_once(script, unbuffered):
    path = script(
        """
        import os, socket, sys

        for number, name in (1, "stdout"), (2, "stderr"):
            reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            reader.settimeout(30)
            os.dup2(writer.fileno(), number)
            if number == 1:
                import pypar
            print("one", 1, "two", end="!\\n", file=getattr(sys, name))
            assert reader.recv(100) == b"one 1 two!\\n"
        """
    )
    done = mpirun(2, PYTHON, path, env={"PYTHONUNBUFFERED": unbuffered})
    assert done.returncode == 0, done


@pytest.mark.parametrize("stream", ["None", "type('Writes', (), {'write': len})()"])
def test_streams_may_be_anything(script, stream):
    path = script(
        f"""
        import os, sys
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = {stream}
        import pypar
        print("nobody hears")
        os.write(1, b"end\\n")
        sys.stdout = sys.stderr = None  # Python would flush them
        """
    )
    done = mpirun(2, PYTHON, path)
    assert (done.returncode, done.stdout) == (0, "end\nend\n"), done
