# SPDX-License-Identifier: MIT
"""joblib's backend: what joblib and scikit-learn do with the ranks as workers."""

import pytest
from mpirun import PYTHON, alone, mpirun

JOBLIB = """
import numpy as np
import pypar.joblib
from joblib import Parallel, delayed, parallel_config


def who(n):
    return n, pypar.rank()


def inner(n):
    return sum(Parallel(n_jobs=2)(delayed(abs)(-i) for i in range(n)))


with parallel_config(backend="pypar"):
    numbers, ranks = zip(*Parallel()(delayed(who)(n) for n in range(200)))
    assert numbers == tuple(range(200))
    assert set(ranks) <= set(range(pypar.size()))
    assert Parallel(n_jobs=2)(delayed(lambda x: x + 1)(n) for n in range(3)) == [1, 2, 3]
    array = np.arange(1e5)
    sums = Parallel()(delayed(np.sum)(array * n) for n in range(5))
    assert sums == [array.sum() * n for n in range(5)]

    results = Parallel(return_as="generator")(delayed(who)(n) for n in range(20))
    assert [n for n, _ in results] == list(range(20))
    results = Parallel(return_as="generator_unordered")(delayed(who)(n) for n in range(20))
    assert sorted(n for n, _ in results) == list(range(20))

    for _ in range(2):
        try:
            Parallel()(delayed(divmod)(1, n % 5) for n in range(100))
        except ZeroDivisionError:
            pass
        else:
            raise AssertionError("no exception")
    assert Parallel()(delayed(inner)(n) for n in range(5)) == [0, 0, 1, 3, 6]
print("done")
"""

SCIKIT_LEARN = """
import pypar.joblib
from joblib import parallel_config
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

X, y = make_classification(200, random_state=1)
search = GridSearchCV(SVC(), {"C": [0.1, 1, 10], "gamma": [0.01, 0.1]}, cv=3)
forest = RandomForestClassifier(30, random_state=1)
with parallel_config(backend="pypar"):
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    likely = forest.fit(X, y).predict_proba(X)
assert (scores == search.fit(X, y).cv_results_["mean_test_score"]).all()
assert (likely == forest.fit(X, y).predict_proba(X)).all()
print("done")
"""


@pytest.mark.parametrize("n", [1, 3])
def test_joblib_gives_what_it_gives_alone(script, n):
    done = mpirun(n, PYTHON, script(JOBLIB), timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", ""), done


def test_scikit_learn_gives_what_it_gives_alone(script):
    done = mpirun(2, PYTHON, script(SCIKIT_LEARN), timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", ""), done


def test_the_number_of_jobs_is_joblibs(script):
    done = alone(
        PYTHON,
        script(
            """
            import pypar
            from joblib import effective_n_jobs, parallel_config
            import pypar.joblib

            there = pypar.cpus()
            for asked, got in (1, 1), (-1, there), (-2, max(there - 1, 1)), (10**6, there):
                with parallel_config(backend="pypar", n_jobs=asked):
                    assert effective_n_jobs(asked) == got, (asked, effective_n_jobs(asked))
            try:
                with parallel_config(backend="pypar", n_jobs=0):
                    effective_n_jobs(0)
            except ValueError as error:
                assert "n_jobs=0: wants a number of workers" in str(error)
            else:
                raise AssertionError("n_jobs=0 was taken")
            """
        ),
    )
    assert (done.returncode, done.stderr) == (0, ""), done


def test_workers_may_be_isolated(script):
    done = mpirun(
        2,
        PYTHON,
        script(
            """
            import os
            import pypar.joblib
            from joblib import Parallel, delayed, parallel_config

            with parallel_config(backend="pypar", isolate=True):
                try:
                    Parallel()(delayed(os._exit)(3) for n in range(4))
                except pypar.WorkerCrashed as crash:
                    print("status", crash.status)
                print(Parallel()(delayed(abs)(-n) for n in range(4)))
            """
        ),
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    assert done.stdout == "status 3\n[0, 1, 2, 3]\n"
